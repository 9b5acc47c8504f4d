/**
 * Replies (codes 324 and 325): the answer of a consumer to a request of a producer. It is handed to the producer, and
 * stored in the cluster's reply topic as well where storeReplyMessageEnable says so. Cold.
 * Source: spec remoting 5.8; ReplyMessageProcessor.
 */
import { RequestCode, ResponseCode } from '../../protocol/codes.js';
import type { RemotingCommand } from '../../protocol/command.js';
import { sendMessageFields } from '../../protocol/headers/send-message.js';
import { formatProperties, parseProperties } from '../../protocol/message-record.js';
import { MessageProperty } from '../../protocol/property-names.js';
import type { CoordinatorState } from './state.js';

/** How long the producer may take. Units: ms. */
const PUSH_TIMEOUT_MS = 10_000;
const FIRST_LETTER = 0x61;

/** Hands a reply to its producer. Resolves with what went wrong, undefined when the producer has it. */
export async function pushReply(
  state: CoordinatorState,
  request: RemotingCommand,
  bornHost: string,
): Promise<string | undefined> {
  const fields = longFields(request);
  const properties = parseProperties(fields.properties ?? '');
  const clientId = properties.get(MessageProperty.REPLY_TO_CLIENT);
  if (clientId === undefined) return `reply message properties[${MessageProperty.REPLY_TO_CLIENT}] is null`;
  const producer = state.clients.producer(clientId);
  if (producer === undefined) return `push reply message fail, channel of <${clientId}> not found.`;
  properties.set(MessageProperty.PUSH_REPLY_TIME, String(state.nowMs));
  const outcome = await state.call(producer.connectionId, {
    code: RequestCode.PUSH_REPLY_MESSAGE_TO_CLIENT,
    fields: {
      ...fields,
      properties: formatProperties(properties),
      bornHost,
      storeHost: state.brokerAddr(),
      storeTimestamp: state.nowMs,
    },
    body: request.body,
    timeoutMs: PUSH_TIMEOUT_MS,
  });
  if (typeof outcome !== 'string' && outcome.code === ResponseCode.SUCCESS) return undefined;
  return `push reply message to <${clientId}> fail.`;
}

/** The fields of a send request by their long names, whichever it has. */
function longFields({ code, extFields }: RemotingCommand): Readonly<Record<string, string | undefined>> {
  if (code === RequestCode.SEND_REPLY_MESSAGE) return extFields;
  return Object.fromEntries(
    sendMessageFields.map((name, index) => [name, extFields[String.fromCharCode(FIRST_LETTER + index)]]),
  );
}
