/** The rules of cdk-nag that do not fit here, each with its reason. */
import { Aspects, IAspect } from 'aws-cdk-lib';
import { AwsSolutionsChecks, NagPackSuppression, NagSuppressions } from 'cdk-nag';
import { Home } from './home';

const nameless = (reason: string): NagPackSuppression[] => [{ id: 'AwsSolutions-IAM5', reason }];
const lastStop = (reason: string): NagPackSuppression[] => [{ id: 'AwsSolutions-SQS3', reason }];

/** By logical name in the template; rights are held to the same list in check_template.py. */
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
  CanaryRole: nameless('Alarms are described by no name of theirs.'),
  CatalogRole: nameless('Content gets its name when it comes.'),
  EveryFunction: nameless('Content gets its name when it comes; X-Ray knows no resources.'),
  EveryWorkflow: nameless('Log delivery and X-Ray know no resources.'),
  InNetwork: nameless('Lambda wants network interfaces that have no name yet.'),
  RelayRole: nameless('Content gets its name when it comes.'),
  ServiceManagementRole: nameless('Runs get their names when they start; workflows are listed by no name.'),
  EventsUndelivered: lastStop('It is where others give up; an alarm watches it.'),
  FactsLost: lastStop('It is where others give up; an alarm watches it.'),
  RejectedRequests: lastStop('It is where others give up; nobody receives from it but people.'),
};

/** Looks at every resource of a deployment. */
export function watch(home: Home): void {
  for (const [name, reasons] of Object.entries(EXCEPTIONS)) {
    NagSuppressions.addResourceSuppressions(home.mano.template.getResource(name), [...reasons]);
  }
  Aspects.of(home).add(new AwsSolutionsChecks({ verbose: true }) as unknown as IAspect);
}
