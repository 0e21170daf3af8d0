export { HttpConfig } from './http.config';
export { LogConfig, type LogLevel } from './log.config';
export type { OpenApiOptions, ServiceConfig, ServiceDefinition } from './service-definition';
export { HealthChecks, type HealthReport, type HealthCheckOptions } from './health-checks';
export {
  counterSpec,
  type CounterSpec,
  gaugeSpec,
  type GaugeSpec,
  histogramSpec,
  type HistogramSpec,
  type MetricSpec,
} from './metric-specs';
export { Metrics } from './metrics';
export { baseMetrics, databaseMetrics, kafkaMetrics } from './service-metrics';
export { Lifecycle, type StopStep } from './lifecycle';
export { createLogger, NestLogger, runInLogContext } from './logger';
export { redact, redactText } from './redact';
export { bootService, type BootOptions, type RunningService } from './boot-service';
export { provideDatabase, provideKafka } from './resources';
export { metricsOf } from './service-definition';
export { tolerateBuffers } from './memory';
export { runService } from './run-service';
export { buildOpenApi } from './open-api';
export { ServiceError } from './errors';
export { type Task, Ticker, type TickObserver } from './ticker';
export { isWedged } from './wedged';
export { serveFile, type FileSent, type FileToServe, type ServedFile } from './serve-file';
