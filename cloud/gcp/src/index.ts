import { createShop } from './shop';

/** `pulumi up` runs this file; `pulumi stack output --json` prints what it exports. */
export = createShop();
