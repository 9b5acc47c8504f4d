import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.apache.rocketmq.broker.filter.MessageEvaluationContext;
import org.apache.rocketmq.common.message.MessageDecoder;
import org.apache.rocketmq.filter.FilterFactory;
import org.apache.rocketmq.filter.expression.Expression;

/** What Java's filter module says of the lines it gets: E and an expression, or P and a property string for it, in base64. */
public class SqlFilterAnswers {
    public static void main(String[] arguments) throws Exception {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        Expression expression = null;
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String text = new String(Base64.getDecoder().decode(line.substring(1)), StandardCharsets.UTF_8);
            if (line.charAt(0) == 'E') {
                expression = compile(text);
                System.out.println(expression == null ? "refused" : "taken");
            } else {
                System.out.println(evaluate(expression, text));
            }
        }
    }

    private static Expression compile(String text) {
        try {
            return FilterFactory.INSTANCE.get("SQL92").compile(text);
        } catch (Exception e) {
            return null;
        }
    }

    private static String evaluate(Expression expression, String properties) {
        try {
            Object truth = expression.evaluate(new MessageEvaluationContext(MessageDecoder.string2messageProperties(properties)));
            return truth == null ? "N" : truth.equals(true) ? "T" : "F";
        } catch (Throwable e) {
            return "X";
        }
    }
}
