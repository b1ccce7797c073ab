/**
 * The orchestrator as the SAM template describes it: nothing of it is described here again.
 *
 *   infra/sam/template.yaml ── infra/tools/expand.py ──▶ target/sam/expanded.json ── CfnInclude
 */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Stack, aws_lambda as lambda, aws_s3_assets as assets, aws_stepfunctions as sfn } from 'aws-cdk-lib';
import { CfnInclude } from 'aws-cdk-lib/cloudformation-include';
import { Construct } from 'constructs';
import { Parameters, Values } from './values';

/** The project's folder. */
export const HOME = path.resolve(__dirname, '../../../..');

/** What is read of a resource of the template. */
interface Resource {
  readonly Type: string;
  readonly Properties: { readonly Code?: { S3Key: string }; readonly DefinitionS3Location?: { Key: string } };
}

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
    const text = fs.readFileSync(templateFile, 'utf8');
    const written = JSON.parse(text);
    const contents = this.contents(written.Resources, home);
    const release = props.parameters.Release ?? this.release(text, contents, props.parameters);
    const values = new Values(written, { ...props.parameters, Release: release });
    this.template = new CfnInclude(this, 'Template', {
      templateFile,
      parameters: values.forInclude(),
      loadNestedStacks: { Schemas: { templateFile: path.join(HOME, 'infra/sam/schemas.json') } },
    });
    values.settle(this.template);
    for (const resource of this.node.findAll()) {
      const asset = contents.get(resource.node.id);
      if (resource instanceof lambda.CfnAlias) {
        // CfnInclude cannot write down a policy that depends on a condition.
        resource.cfnOptions.updatePolicy = undefined as never;
        resource.addOverride('UpdatePolicy', written.Resources[resource.node.id].UpdatePolicy);
      } else if (resource instanceof lambda.CfnVersion) {
        // CloudFormation publishes another version only under another name.
        const name = written.Resources[resource.node.id].Properties.FunctionName.Ref;
        resource.overrideLogicalId(`${name}Version${release.slice(0, 10)}`);
      } else if (resource instanceof lambda.CfnFunction && asset) {
        resource.code = { s3Bucket: asset.s3BucketName, s3Key: asset.s3ObjectKey };
      } else if (resource instanceof sfn.CfnStateMachine && asset) {
        resource.definitionS3Location = { bucket: asset.s3BucketName, key: asset.s3ObjectKey };
      }
    }
  }

  /** Code and workflows, by the resource that has them. */
  private contents(resources: { [name: string]: Resource }, home: string): Map<string, assets.Asset> {
    const contents = new Map<string, assets.Asset>();
    for (const [name, { Type, Properties }] of Object.entries(resources)) {
      if (!['AWS::Lambda::Function', 'AWS::StepFunctions::StateMachine'].includes(Type)) continue;
      const key = Properties.Code?.S3Key ?? Properties.DefinitionS3Location?.Key;
      if (!key) throw new Error(`${name} does not say where its content lies`);
      contents.set(name, new assets.Asset(this, `${name}Content`, { path: path.join(home, key) }));
    }
    return contents;
  }

  /** A digest of all that makes a function another one: template, content and parameters. */
  private release(template: string, contents: Map<string, assets.Asset>, parameters: Parameters): string {
    const hashes = [...contents].map(([name, asset]) => [name, asset.assetHash]);
    const all = [template, hashes, Stack.of(this).resolve(parameters)];
    return createHash('sha256').update(JSON.stringify(all)).digest('hex');
  }
}
