/** The JSON bodies of RocketMQ: one file a subject under `bodies/`. Cold. Source: spec remoting 9, 10. */
export * from './bodies/admin.js';
export * from './bodies/fields.js';
export * from './bodies/group.js';
export * from './bodies/lock.js';
export * from './bodies/message-queue.js';
export * from './bodies/register-broker.js';
export * from './bodies/route.js';
export * from './bodies/topic.js';
export * from './topic-config-text.js';
