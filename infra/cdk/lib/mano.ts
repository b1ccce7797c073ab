/**
 * The orchestrator as the SAM template describes it: nothing of it is described here again.
 *
 *   infra/sam/template.yaml ── infra/tools/expand.py ──▶ target/sam/expanded.json ── CfnInclude
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { aws_lambda as lambda, aws_s3_assets as assets, aws_stepfunctions as sfn } from 'aws-cdk-lib';
import { CfnInclude } from 'aws-cdk-lib/cloudformation-include';
import { Construct } from 'constructs';

/** The project's folder. */
export const HOME = path.resolve(__dirname, '../../../..');

/** What the template takes; see its section Parameters. */
export type Parameters = { readonly [name: string]: string };

export interface ManoProps {
  /** The parameters that differ from their defaults. */
  readonly parameters: Parameters;
  /** Where the code and the workflows that the template names lie; the project's folder by default. */
  readonly home?: string;
}

/** Every resource of the template, with code and workflows as assets. */
export class Mano extends Construct {
  /** The template as it was taken in. */
  readonly template: CfnInclude;

  constructor(scope: Construct, id: string, props: ManoProps) {
    super(scope, id);
    const home = props.home ?? HOME;
    const templateFile = path.join(HOME, 'target/sam/expanded.json');
    this.template = new CfnInclude(this, 'Template', {
      templateFile,
      loadNestedStacks: { Schemas: { templateFile: path.join(HOME, 'infra/sam/schemas.json') } },
    });
    for (const [name, value] of Object.entries(props.parameters)) {
      // A parameter that the template has not is an error here, not at deployment.
      this.template.getParameter(name).default = value;
    }
    const written = JSON.parse(fs.readFileSync(templateFile, 'utf8')).Resources;
    for (const resource of this.node.findAll()) {
      if (resource instanceof lambda.CfnAlias) {
        // CfnInclude cannot write down a policy that depends on a condition.
        resource.cfnOptions.updatePolicy = undefined as never;
        resource.addOverride('UpdatePolicy', written[resource.node.id].UpdatePolicy);
      } else if (resource instanceof lambda.CfnFunction) {
        const code = resource.code as lambda.CfnFunction.CodeProperty;
        const asset = this.asset(resource, home, code.s3Key);
        resource.code = { s3Bucket: asset.s3BucketName, s3Key: asset.s3ObjectKey };
      } else if (resource instanceof sfn.CfnStateMachine) {
        const file = resource.definitionS3Location as sfn.CfnStateMachine.S3LocationProperty;
        const asset = this.asset(resource, home, file.key);
        resource.definitionS3Location = { bucket: asset.s3BucketName, key: asset.s3ObjectKey };
      }
    }
  }

  private asset(resource: Construct, home: string, key: string | undefined): assets.Asset {
    if (!key) throw new Error(`${resource.node.path} does not say where its content lies`);
    return new assets.Asset(this, `${resource.node.id}Content`, { path: path.join(home, key) });
  }
}
