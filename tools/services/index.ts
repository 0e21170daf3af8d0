export { ServicesError, serviceErrorCodes } from './errors';
export { isPortFree, portsFor, unusedPort } from './ports';
export { preparePlatform, type PreparedPlatform } from './prepare-platform';
export { ServiceRegistry } from './registry';
export { buildServices, ServiceProcess, type ServiceOptions, tailOf } from './service-process';
export { serviceNames, type ServiceName, servicePort, services } from './services';
export { Interrupted, stopSignal, untilStopped } from './signals';
export { Supervisor, type SupervisorOptions } from './supervisor';
