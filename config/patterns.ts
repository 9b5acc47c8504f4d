/**
 * Shapes of text values. Each completes the sentence "must be …".
 */

import type { TextPattern } from './keys.js';

const hours = '([01]\\d|2[0-3])';
const address = '(\\[[0-9a-fA-F:.%]+\\]|[^\\s;,]+):\\d{1,5}';

export const wordPattern: TextPattern = { expression: /^\S+$/, words: 'a name without blanks' };

/** For what stands in every answer to a send. */
export const shortText: TextPattern = {
  expression: /^\P{Cc}{0,127}$/u,
  words: 'at most 127 characters and no control characters',
};

export const optionalHost: TextPattern = {
  expression: /^\S*$/,
  words: 'an address or host name without blanks, or empty',
};

export const pathPattern: TextPattern = {
  expression: /^\S(.*\S)?$/,
  words: 'a path that neither begins nor ends with a blank',
};

export const pathOrEmpty: TextPattern = {
  expression: /^(\S(.*\S)?)?$/,
  words: 'a path that neither begins nor ends with a blank, or empty',
};

/** RingMQ writes one commit log, so a comma-separated list, which RocketMQ reads since 4.9.2, is refused. */
export const onePathOrEmpty: TextPattern = {
  expression: /^([^\s,]([^,]*[^\s,])?)?$/,
  words: 'one path without commas: RingMQ keeps the commit log in one directory',
};

export const addressList: TextPattern = {
  expression: new RegExp(`^(\\s*${address}\\s*(;\\s*${address}\\s*)*;?\\s*)?$`),
  words: 'host:port or several of them separated by `;`',
};

export const optionalAddress: TextPattern = {
  expression: new RegExp(`^(${address})?$`),
  words: 'host:port, or empty',
};

export const hoursOfDay: TextPattern = {
  expression: new RegExp(`^${hours}(;${hours})*;?$`),
  words: 'one or more hours of two digits from 00 to 23 separated by `;`, such as 04 or 04;16',
};

export const delayLevels: TextPattern = {
  expression: /^\d+[smhd]( +\d+[smhd])*$/,
  words: 'times such as 1s 5m 2h, separated by a blank, with the units s, m, h and d',
};

export const listOfNames: TextPattern = { expression: /^\S*$/, words: 'names of keys separated by `;`' };

export const httpAddressOrEmpty: TextPattern = {
  expression: /^(https?:\/\/[^\s?#]+)?$/,
  words: 'an address such as http://127.0.0.1:4318, or empty',
};
