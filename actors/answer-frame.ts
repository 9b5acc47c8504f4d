/** The frame of an answer that has to fit a ring to remoting. Cold. */
import { ResponseCode } from '../protocol/codes.js';
import { createResponse, encodeCommand, type RemotingCommand } from '../protocol/command.js';
import type { Ring } from '../runtime/memory/ring.js';
import { OutboundFrame } from './remoting/mailbox.js';

/** Whether a frame goes through the ring once it is empty; one that does not would wait for ever. */
export function fitsRing(frame: Uint8Array, toRemoting: Ring): boolean {
  return OutboundFrame.frameBytes + frame.length <= toRemoting.payloadMax;
}

/** The response, or SYSTEM_ERROR in its place when it is larger than the ring takes. */
export function encodeAnswer(request: RemotingCommand, response: RemotingCommand, toRemoting: Ring): Uint8Array {
  const frame = encodeCommand(response);
  if (fitsRing(frame, toRemoting)) return frame;
  const remark = `the answer is larger than can be sent: ${frame.length} bytes (key ringCapacityBytes)`;
  return encodeCommand(createResponse(request, ResponseCode.SYSTEM_ERROR, remark));
}
