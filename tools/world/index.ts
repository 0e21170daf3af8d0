export { type Answer, type CreatedExport, Customer, perfect, type RunLog, serviceAccountKey } from './customer';
export { judgeRecorded } from './recorded';
export { S3Server } from './s3-server';
export { build, type Tenant, World, untilReady } from './world';
