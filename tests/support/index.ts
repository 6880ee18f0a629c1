export { type CapturedLog, capturedLog, eventually, exampleService } from './example-service';
export { aCategory, anAddress, aProduct, aStore, aUser, type TestUser } from './factories';
export { aGif, aJpeg, aPdf, aPng, aWebp } from './files';
export { startApp, type TestApp, testEnv } from './test-app';
export { closeTestDatabase, rows, write } from './test-database';
