import * as gcp from '@pulumi/gcp';
import * as pulumi from '@pulumi/pulumi';
import type { Settings } from './settings';

/** The secrets, which only the pods' service account can read (workload identity). */
export function createSecrets({ project }: Settings, values: Record<string, pulumi.Input<string>>) {
  const account = new gcp.serviceaccount.Account('pods', { accountId: 'shop-pods', displayName: 'Pods of the shop' });
  new gcp.serviceaccount.IAMMember('pods', {
    serviceAccountId: account.name,
    role: 'roles/iam.workloadIdentityUser',
    member: `serviceAccount:${project}.svc.id.goog[shop/shop]`,
  });
  const names = Object.entries(values).map(([key, value]) => {
    const secret = new gcp.secretmanager.Secret(key, { secretId: `shop-${key}`, replication: { auto: {} } });
    new gcp.secretmanager.SecretVersion(key, { secret: secret.id, secretData: value });
    new gcp.secretmanager.SecretIamMember(key, {
      secretId: secret.id,
      role: 'roles/secretmanager.secretAccessor',
      member: pulumi.interpolate`serviceAccount:${account.email}`,
    });
    return key;
  });
  return { account, names };
}

export const createRegistry = ({ region }: Settings) =>
  new gcp.artifactregistry.Repository('shop', {
    location: region,
    repositoryId: 'shop',
    format: 'DOCKER',
    // A tag always means the same image, the one that was scanned and signed.
    dockerConfig: { immutableTags: true },
    vulnerabilityScanningConfig: { enablementConfig: 'INHERITED' },
  });

/** Lets the workflow deploy-gcp.yml log in with GitHub's OpenID Connect token, only from the environment `gcp`. */
export function createDeployer({ project, repository }: Settings) {
  const account = new gcp.serviceaccount.Account('deployer', {
    accountId: 'shop-deployer',
    displayName: 'GitHub workflow',
  });
  const pool = new gcp.iam.WorkloadIdentityPool('github', { workloadIdentityPoolId: 'github' });
  const provider = new gcp.iam.WorkloadIdentityPoolProvider('github', {
    workloadIdentityPoolId: pool.workloadIdentityPoolId,
    workloadIdentityPoolProviderId: 'github',
    oidc: { issuerUri: 'https://token.actions.githubusercontent.com' },
    attributeMapping: { 'google.subject': 'assertion.sub', 'attribute.repository': 'assertion.repository' },
    attributeCondition: `assertion.sub == 'repo:${repository}:environment:gcp'`,
  });
  new gcp.serviceaccount.IAMMember('deployer', {
    serviceAccountId: account.name,
    role: 'roles/iam.workloadIdentityUser',
    member: pulumi.interpolate`principal://iam.googleapis.com/${pool.name}/subject/repo:${repository}:environment:gcp`,
  });
  for (const role of ['roles/artifactregistry.writer', 'roles/container.developer']) {
    new gcp.projects.IAMMember(`deployer-${role.split('/')[1]}`, {
      project,
      role,
      member: pulumi.interpolate`serviceAccount:${account.email}`,
    });
  }
  return { account, provider };
}
