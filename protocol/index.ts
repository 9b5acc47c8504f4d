/** Wire formats: frames, headers, codes, records. No I/O, no threads, no broker rules. */

export * from './bodies.js';
export * from './bytes.js';
export * from './codes.js';
export * from './command.js';
export * from './consume-queue-unit.js';
export * from './crc32.js';
export * from './frame.js';
export * from './ha-frame.js';
export * from './header-view.js';
export * from './headers/field-index.js';
export * from './headers/pull-message.js';
export * from './headers/send-message.js';
export * from './json-dialect.js';
export * from './layout.js';
export * from './message-id.js';
export * from './message-record.js';
export * from './property-names.js';
export * from './pull-response.js';
export * from './record-copy.js';
export * from './send-response.js';
export * from './sql-filter.js';
export * from './tag-filter.js';
export * from './topic-names.js';
