/** VIEW_BROKER_STATS_DATA: counters by name and key. Source: spec remoting 4.2.2; AdminBrokerProcessor. */
import { RequestCode } from '../../protocol/codes.js';
import { type Handler, successWithBody, systemError } from './handler.js';

const viewStats: Handler = (state, request) => {
  const { statsName = '', statsKey = '' } = request.extFields;
  const figures = state.stats.view(statsName, statsKey);
  if (figures === undefined) return systemError(request, `The stats <${statsName}> <${statsKey}> not exist`);
  return successWithBody(request, {
    statsMinute: figures.minute,
    statsHour: figures.hour,
    statsDay: figures.day,
  });
};

export const statsHandlers: ReadonlyMap<number, Handler> = new Map([[RequestCode.VIEW_BROKER_STATS_DATA, viewStats]]);
