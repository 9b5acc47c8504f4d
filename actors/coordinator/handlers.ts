/** Every request the coordinator answers, by its code. */
import { clientHandlers } from './client-requests.js';
import { consumeStatsHandlers } from './consume-stats.js';
import { consumerHandlers } from './consumer-requests.js';
import { filterHandlers } from './filter-requests.js';
import type { Handler } from './handler.js';
import { lockHandlers } from './lock-requests.js';
import { offsetHandlers } from './offset-requests.js';
import { statsHandlers } from './stats-requests.js';
import { storeHandlers } from './store-requests.js';
import { topicHandlers } from './topic-requests.js';

export const handlers: ReadonlyMap<number, Handler> = new Map([
  ...clientHandlers,
  ...consumerHandlers,
  ...consumeStatsHandlers,
  ...filterHandlers,
  ...lockHandlers,
  ...offsetHandlers,
  ...statsHandlers,
  ...storeHandlers,
  ...topicHandlers,
]);
