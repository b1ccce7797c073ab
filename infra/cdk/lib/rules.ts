/** The rules of cdk-nag that do not fit here, each with its reason. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Aspects, IAspect } from 'aws-cdk-lib';
import { AwsSolutionsChecks, NagPackSuppression, NagSuppressions } from 'cdk-nag';
import { Home } from './home';
import { HOME } from './mano';

const lastStop = (reason: string): NagPackSuppression[] => [{ id: 'AwsSolutions-SQS3', reason }];

/** Rights without a name, which check_template.py looks at one by one. */
interface Allowed {
  readonly resources: readonly string[];
  readonly reason: string;
}

/** By logical name in the template. */
const EXCEPTIONS: { readonly [resource: string]: readonly NagPackSuppression[] } = {
  Api: [
    {
      id: 'AwsSolutions-APIG2',
      reason: 'The functions check requests and say what is wrong as SOL013 wants it; the gateway could not.',
    },
  ],
  Apiv1Stage: [
    {
      id: 'AwsSolutions-APIG3',
      reason: 'Callers are machines with IAM or JWT; which web ACL an account wants is its operator\'s decision.',
    },
    {
      id: 'AwsSolutions-APIG6',
      reason: 'The access log says why a request failed; a log that API Gateway makes itself is kept for ever, without a key.',
    },
  ],
  ApiGatewayLogsRole: [
    { id: 'AwsSolutions-IAM4', reason: 'The policy that AWS writes for just this role; API Gateway takes no other.' },
  ],
  Bucket: [
    {
      id: 'AwsSolutions-S1',
      reason: 'Only the functions read it; who read what is in CloudTrail, where an account records data events.',
    },
  ],
  EventsUndelivered: lastStop('It is where others give up; an alarm watches it.'),
  FactsLost: lastStop('It is where others give up; an alarm watches it.'),
  RejectedRequests: lastStop('It is where others give up; nobody receives from it but people.'),
};

/** Looks at every resource of a deployment. */
export function watch(home: Home): void {
  for (const [name, reasons] of Object.entries(EXCEPTIONS)) {
    NagSuppressions.addResourceSuppressions(home.mano.template.getResource(name), [...reasons]);
  }
  const allowed = JSON.parse(fs.readFileSync(path.join(HOME, 'infra/tools/allowed.json'), 'utf8')) as Allowed[];
  for (const { resources, reason } of allowed) {
    for (const resource of resources.map((name) => home.mano.template.getResource(name))) {
      // The rule looks at what identities may do; keys, queues and buckets have policies of their own.
      if (!resource.cfnResourceType.startsWith('AWS::IAM::')) continue;
      NagSuppressions.addResourceSuppressions(resource, [{ id: 'AwsSolutions-IAM5', reason: `Without a name: ${reason}.` }]);
    }
  }
  Aspects.of(home).add(new AwsSolutionsChecks({ verbose: true }) as unknown as IAspect);
}
