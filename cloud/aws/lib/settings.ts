import { Annotations, type Stack } from 'aws-cdk-lib';
import { optionalKeysOf, services } from '../../../packages/shop/src/services';
import { productionSettings } from './repository';

/** The optional keys that the stack makes. */
export const GENERATED_KEYS = ['PASSWORD_PEPPER', 'FACTOR_KEY'];

/** Those that only an operator can make. */
const OPERATOR_KEYS = new Set(
  Object.values(services)
    .flatMap(optionalKeysOf)
    .filter((key) => !GENERATED_KEYS.includes(key)),
);

/** What an operator chooses with `-c NAME=VALUE`, in addition to the product's own settings. */
export interface Choices {
  /** `shop.example.org`. Without it, CloudFront's own name is used. */
  domainName: string | undefined;
  /** The Route 53 zone of `domainName`: the stack then makes the records and the certificate. */
  hostedZone: { id: string; name: string } | undefined;
  /** A certificate in us-east-1 for `domainName`, if its zone is not in Route 53. */
  certificateArn: string | undefined;
  alarmEmail: string | undefined;
  /** Needs a subscription of the account: 3,000 dollars a month for at least a year. */
  hasShieldAdvanced: boolean;
  mysqlVersion: string;
  /** Increase it to replace the access key of the uploads. */
  uploadsKeySerial: number;
  /** The network from which kubectl may reach EKS. Without it, only from inside the VPC. */
  eksAdminCidr: string | undefined;
  /** Settings whose keys the operator has put into Secrets Manager, in addition to those that the stack makes. */
  keys: string[];
  gitRevision: string;
}

export function readChoices(stack: Stack): Choices {
  const text = (name: string): string | undefined => stack.node.tryGetContext(name)?.toString() || undefined;
  const zoneId = text('hostedZoneId');
  const zoneName = text('hostedZoneName');
  const choices: Choices = {
    domainName: text('domainName'),
    hostedZone: zoneId && zoneName ? { id: zoneId, name: zoneName } : undefined,
    certificateArn: text('certificateArn'),
    alarmEmail: text('alarmEmail'),
    hasShieldAdvanced: text('shieldAdvanced') === 'true',
    mysqlVersion: text('mysqlVersion') ?? '8.0.46',
    uploadsKeySerial: Number(text('uploadsKeySerial') ?? 1),
    eksAdminCidr: text('eksAdminCidr'),
    keys: text('keys')?.split(',') ?? [],
    gitRevision: text('gitRevision') ?? 'unknown',
  };
  const problem = (message: string) => Annotations.of(stack).addError(message);
  if (Boolean(zoneId) !== Boolean(zoneName)) problem('hostedZoneId and hostedZoneName need each other');
  if (choices.domainName && !choices.hostedZone && !choices.certificateArn) {
    problem('domainName needs hostedZoneId and hostedZoneName, or certificateArn');
  }
  for (const key of choices.keys.filter((name) => !OPERATOR_KEYS.has(name))) {
    problem(`keys: ${key} is none of ${[...OPERATOR_KEYS].join(', ')}`);
  }
  return choices;
}

/** Production does not start without them (docs/decisions/0014-production-refusals.md). */
const REQUIRED = ['SMTP_HOST', 'PASSWORD_RESET_URL'];

/** The settings of `.env.production`. `-c SMTP_HOST=…` overrides one, or sets one that is empty there. */
export function readSettings(stack: Stack): Record<string, string> {
  const settings = productionSettings();
  const context: Record<string, unknown> = stack.node.getAllContext();
  for (const [name, value] of Object.entries(context)) {
    if (/^[A-Z][A-Z0-9_]*$/.test(name)) settings[name] = String(value);
  }
  for (const name of REQUIRED.filter((required) => !settings[required])) {
    Annotations.of(stack).addError(`${name} is required: set it in .env.production, or with -c ${name}=…`);
  }
  return settings;
}
