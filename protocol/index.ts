/** Wire formats: frames, headers, codes, records. No I/O, no threads, no broker rules. */
export * from './bytes.js';
export * from './codes.js';
export * from './command.js';
export * from './frame.js';
export * from './header-view.js';
export * from './layout.js';
