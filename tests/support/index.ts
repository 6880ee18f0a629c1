export { aDatabase, aGate, closeDatabases, connectionId, type Gate, retries, type TestDatabase } from './a-database';
export { type ExampleProcess, startExampleProcess } from './example-process';
export { type CapturedLog, capturedLog, eventually, exampleService } from './example-service';
export { aCategory, anAddress, aProduct, aStore, aUser, type TestUser } from './factories';
export { aGif, aJpeg, aPdf, aPng, aWebp } from './files';
export { S3_KEYS, type S3Server, startS3Server } from './s3-server';
export { startProxy, type TcpProxy } from './tcp-proxy';
export { startApp, type TestApp, testEnv } from './test-app';
export { closeTestDatabase, rows, write } from './test-database';
