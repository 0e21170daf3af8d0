import { formatPositions, type Window } from '@delivery/exports/domain';
import type { SpanAttributes } from '@delivery/platform/tracing';

/** A window's positions as attributes of a span: with an event's place in the log they tell which runs have it. */
export function describeWindow({ from, to }: Window): SpanAttributes {
  return {
    'delivery.window.from': JSON.stringify(formatPositions(from)),
    'delivery.window.to': JSON.stringify(formatPositions(to)),
  };
}
