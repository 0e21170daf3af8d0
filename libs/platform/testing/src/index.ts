export { ApiReference, type SeenAnswer } from './api-reference';
export { type Route, routesOf } from './routes-of';
export { stackEnvironment, workspaceRoot } from './stack-environment';
export { testDatabase, type TestDatabase } from './test-database';
export { testKafka, type TestKafka } from './test-kafka';
export { waitFor } from './wait-for';
