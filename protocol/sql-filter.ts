/**
 * SQL92 filters: expressions over the properties of a message, as RocketMQ's broker evaluates them.
 * Source: spec remoting 6.7; rocketmq 4.9.8 filter module.
 */
export * from './sql-filter/bloom-bits.js';
export { compileSqlFilter, SqlFilter } from './sql-filter/compile.js';
export { Truth } from './sql-filter/conditions.js';
export * from './sql-filter/error.js';
export { EXPRESSION_DEPTH_MAX, EXPRESSION_LENGTH_MAX, parseSqlExpression } from './sql-filter/parser.js';
export { PropertyScan } from './sql-filter/property-scan.js';
