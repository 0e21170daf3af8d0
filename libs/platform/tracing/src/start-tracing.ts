import { openTracer } from './open-telemetry';
import { type TracingConfig, tracingWanted } from './tracing.config';
import { useTracer } from './tracing';

/** Sends what is left, as far as that is possible within a few seconds. */
export type StopTracing = () => Promise<void>;

/**
 * Starts to send traces, if the settings ask for it. The SDK is loaded only then: it takes memory of every service.
 *
 * @param warn - told, once in a while, that spans do not reach the collector; they are then dropped
 * @returns undefined when nothing was started
 */
export async function startTracing(
  serviceName: string,
  config: TracingConfig,
  warn: (message: string) => void,
): Promise<StopTracing | undefined> {
  if (!tracingWanted(config)) return undefined;
  const { tracer, stop } = await openTracer(serviceName, config, { warn });
  useTracer(tracer);
  return async () => {
    useTracer(undefined);
    await stop();
  };
}
