import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.regex.Pattern;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;
import org.apache.commons.cli.ParseException;
import org.apache.commons.cli.PosixParser;
import org.apache.rocketmq.srvutil.ServerUtil;
import org.apache.rocketmq.tools.command.MQAdminStartup;
import org.apache.rocketmq.tools.command.SubCommand;

/**
 * Runs commands of Java's mqadmin in one JVM, one after the other, as the program itself would. A command is a line: a
 * pattern and the arguments, each in base64, separated by spaces. What it printed is a line: exit code, output and
 * errors, the latter two in base64. A command with a pattern is interrupted as soon as its output has it: some never
 * end by themselves.
 */
public class MqadminCommands {
    private static final long LIMIT_MS = 60_000;

    public static void main(String[] ignored) throws Exception {
        PrintStream answers = System.out;
        PrintStream errors = System.err;
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] words = Arrays.stream(line.split(" ", -1)).map(MqadminCommands::decode).toArray(String[]::new);
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            ByteArrayOutputStream err = new ByteArrayOutputStream();
            System.setOut(new PrintStream(out, true, "UTF-8"));
            System.setErr(new PrintStream(err, true, "UTF-8"));
            int code;
            try {
                code = run(words[0], Arrays.copyOfRange(words, 1, words.length), out);
            } finally {
                System.setOut(answers);
                System.setErr(errors);
            }
            answers.println(code + " " + encode(out) + " " + encode(err));
        }
        System.exit(0); // clients of RocketMQ leave threads behind
    }

    /** Opens what the program keeps for its subclasses. */
    private static final class Program extends MQAdminStartup {
        static List<SubCommand> commands() {
            return subCommandList;
        }
    }

    private static String decode(String word) {
        return new String(Base64.getDecoder().decode(word), StandardCharsets.UTF_8);
    }

    private static String encode(ByteArrayOutputStream bytes) {
        return Base64.getEncoder().encodeToString(bytes.toByteArray());
    }

    /** The exit code: that of the program, or 124 when the command did not end. */
    private static int run(String pattern, String[] args, ByteArrayOutputStream out) throws Exception {
        // Commands keep clients in their fields, which start only once.
        Program.commands().clear();
        Integer code = exitCodeOfBadArguments(args);
        if (code != null) return code;
        Program.commands().clear();
        Thread thread = new Thread(() -> Program.main0(args, null), "command");
        thread.setDaemon(true);
        thread.start();
        Pattern end = pattern.isEmpty() ? null : Pattern.compile(pattern);
        long deadlineMs = System.currentTimeMillis() + LIMIT_MS;
        boolean saidIt = false;
        while (thread.isAlive()) {
            thread.join(20);
            if (System.currentTimeMillis() > deadlineMs) {
                thread.interrupt();
                return 124;
            }
            if (saidIt || end == null || !end.matcher(out.toString("UTF-8")).find()) continue;
            saidIt = true;
            thread.interrupt();
        }
        return 0;
    }

    /** The program itself ends the JVM when arguments are wrong, or when it is asked for help. */
    private static Integer exitCodeOfBadArguments(String[] args) {
        Program.initCommand();
        if (args.length == 0 || args[0].equals("help")) return null;
        for (SubCommand command : Program.commands()) {
            if (!command.commandName().equalsIgnoreCase(args[0])) continue;
            Options options = command.buildCommandlineOptions(ServerUtil.buildCommandlineOptions(new Options()));
            Integer code = null;
            try {
                CommandLine line = new PosixParser().parse(options, Arrays.copyOfRange(args, 1, args.length));
                if (line.hasOption('h')) code = 0;
            } catch (ParseException e) {
                code = 1;
            }
            if (code != null) ServerUtil.printCommandLineHelp("mqadmin " + command.commandName(), options);
            return code;
        }
        return null;
    }
}
