/** Frames and headers written from the specification alone, for the fuzzer: it shares no code with `protocol/`. */
import type { Ext } from './fuzz-values.js';

export interface Command {
  code: number;
  flag: number;
  opaque: number;
  ext: Ext;
  body: Buffer;
  binary: boolean;
}

/** A frame whose lengths are right. */
export function frameOf(header: Buffer, body: Buffer, binary: boolean): Buffer {
  const frame = Buffer.alloc(8 + header.length + body.length);
  frame.writeInt32BE(4 + header.length + body.length, 0);
  frame[4] = binary ? 1 : 0;
  frame.writeUIntBE(header.length, 5, 3);
  header.copy(frame, 8);
  body.copy(frame, 8 + header.length);
  return frame;
}

/** Source: spec remoting 1.2. */
export function encodeBinary({ code, flag, opaque, ext }: Command): Buffer {
  const entries = Object.entries(ext).filter(([, value]) => value !== null);
  const block = Buffer.concat(
    entries.flatMap(([name, value]) => {
      const [key, text] = [Buffer.from(name), Buffer.from(String(value))];
      const sizes = [Buffer.alloc(2), Buffer.alloc(4)] as const;
      sizes[0].writeInt16BE(key.length);
      sizes[1].writeInt32BE(text.length);
      return [sizes[0], key, sizes[1], text];
    }),
  );
  const fixed = Buffer.alloc(21);
  fixed.writeInt16BE((code << 16) >> 16, 0);
  fixed.writeInt16BE(409, 3);
  fixed.writeInt32BE(opaque, 5);
  fixed.writeInt32BE(flag, 9);
  fixed.writeInt32BE(block.length, 17);
  return Buffer.concat([fixed, block]);
}

/** The same JSON with every letter of its texts escaped, but for the names of the outer fields. */
export function escapeAll(json: string): string {
  return json.replace(/:"((?:[^"\\]|\\.)*)"/g, (_, text: string) => {
    const plain = JSON.parse(`"${text}"`) as string;
    const units = Array.from({ length: plain.length }, (_, index) =>
      plain.charCodeAt(index).toString(16).padStart(4, '0'),
    );
    return `:"${units.map(unit => `\\u${unit}`).join('')}"`;
  });
}
