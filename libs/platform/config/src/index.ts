export { Env, Section, type ConfigClass, type EnvOptions, type SectionOptions } from './env';
export { loadConfig } from './load-config';
export { describeConfig, type ConfigVariable } from './describe-config';
export { CONFIG_EXIT_CODE, ConfigError, type ConfigFault } from './errors';
