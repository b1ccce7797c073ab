/** What is synthesised, without an account and without the network. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { before, test } from 'node:test';
import { App } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { Home, HomeProps } from '../lib/home';
import { HOME } from '../lib/mano';
import { watch } from '../lib/rules';

const expanded = JSON.parse(fs.readFileSync(path.join(HOME, 'target/sam/expanded.json'), 'utf8'));
let home: string;

/** Code that does nothing, in place of what is built. */
before(() => {
  home = fs.mkdtempSync(path.join(os.tmpdir(), 'mano-cdk-'));
  for (const name of ['service-management', 'catalog', 'inventory', 'adapters', 'relay']) {
    const folder = path.join(home, `target/lambda/mano-${name}`);
    fs.mkdirSync(folder, { recursive: true });
    fs.writeFileSync(path.join(folder, 'bootstrap'), '');
  }
  fs.symlinkSync(path.join(HOME, 'workflows'), path.join(home, 'workflows'));
});

function made(props: HomeProps): Home {
  const app = new App({ outdir: fs.mkdtempSync(path.join(os.tmpdir(), 'mano-cdk-out-')) });
  const made = new Home(app, 'mano', { home, ...props });
  watch(made);
  return made;
}

const everything: HomeProps = {
  env: { account: '111111111111', region: 'eu-central-1' },
  parameters: {
    Auth: 'JWT',
    JwtIssuer: 'https://login.example.com',
    JwtAudience: 'mano',
    VimConcurrency: '40',
    VimSecretArns: 'arn:aws:secretsmanager:eu-central-1:111111111111:secret:a,arn:aws:secretsmanager:eu-central-1:111111111111:secret:b',
  },
  network: { cidr: '10.20.0.0/20' },
  domain: { name: 'mano.example.com', zoneId: 'Z0000000000000000000', zoneName: 'example.com' },
  told: ['operators@example.com', 'https://alarms.example.com/mano'],
};

test('the template is taken in whole and nothing of it is defined twice', () => {
  const resources = Template.fromStack(made({})).toJSON().Resources;
  const versions = (name: string): boolean => expanded.Resources[name].Type === 'AWS::Lambda::Version';
  const names = Object.keys(expanded.Resources).filter((name) => name !== 'Schemas' && !versions(name));
  for (const name of names) {
    assert.equal(resources[name]?.Type, expanded.Resources[name].Type, name);
  }
  const added = Object.keys(resources).filter((name) => !names.includes(name));
  const types = ['AWS::CloudFormation::Stack', ...Object.keys(expanded.Resources).filter(versions).map(() => 'AWS::Lambda::Version')];
  assert.deepEqual(added.map((name) => resources[name].Type).sort(), types);
});

test('code and workflows are assets', () => {
  const text = JSON.stringify(Template.fromStack(made({})).toJSON());
  assert.ok(!text.includes('"local"'), 'an address is still that of this machine');
});

test('canaries and conditions survive', () => {
  const { Resources, Conditions, Rules } = Template.fromStack(made({})).toJSON();
  assert.deepEqual(Resources.RelayLive.UpdatePolicy, expanded.Resources.RelayLive.UpdatePolicy);
  assert.deepEqual(Object.keys(Conditions).sort(), Object.keys(expanded.Conditions).sort());
  // One rule more is the CDK's own.
  const rules = Object.keys(Rules).filter((name) => name !== 'CheckBootstrapVersion');
  assert.deepEqual(rules.sort(), Object.keys(expanded.Rules).sort());
});

test('what cdk.json says stands in the template, so that no deployment keeps an earlier value', () => {
  const { Parameters, Conditions, Resources } = Template.fromStack(made(everything)).toJSON();
  for (const [name, said] of Object.entries<{ Default: unknown }>(Parameters)) {
    assert.ok(['string', 'number'].includes(typeof said.Default), `${name}: ${JSON.stringify(said.Default)}`);
  }
  for (const name of ['Auth', 'JwtIssuer', 'DomainName', 'CertificateArn', 'SubnetIds', 'VimConcurrency', 'Release']) {
    assert.ok(!(name in Parameters), name);
  }
  assert.deepEqual(Conditions.ByIam, { 'Fn::Equals': ['JWT', 'IAM'] });
  assert.deepEqual(Conditions.InVpc, { 'Fn::Equals': ['yes', 'yes'] });
  const [, network] = Resources.Relay.Properties.VpcConfig['Fn::If'];
  assert.equal(network.SubnetIds.length, 2);
  assert.match(Resources[network.SubnetIds[0].Ref].Type, /Subnet$/);
  assert.match(Resources[Resources.Domain.Properties.RegionalCertificateArn.Ref].Type, /Certificate$/);
});

test('values that do not fit are refused when they are written down', () => {
  const refused: [{ [name: string]: string }, RegExp][] = [
    [{ Site: 'Two Words' }, /Site.*small letters/],
    [{ VimConcurrency: '21' }, /VimConcurrency.*AllowedValues/],
    [{ RequestBurst: 'many' }, /RequestBurst.*Number/],
    [{ Tenants: 'oss=acme' }, /Tenants.*JSON object/],
    [{ Auth: 'JWT' }, /JwtIssuer must say/],
    [{ JwtIssuer: 'https://login.example.com' }, /JwtIssuer would have no effect/],
    [{ JwtAudience: 'mano' }, /JwtAudience would have no effect/],
    [{ JwtKeys: 'https://login.example.com/keys' }, /JwtKeys would have no effect/],
    [{ SubnetIds: 'subnet-1' }, /SubnetIds needs SecurityGroupIds/],
    [{ SecurityGroupIds: 'sg-1' }, /SecurityGroupIds needs SubnetIds/],
    [{ DomainName: 'mano.example.com' }, /DomainName needs CertificateArn/],
    [{ CertificateArn: 'arn:aws:acm:eu-central-1:111111111111:certificate/1' }, /without DomainName/],
    [{ HostedZoneId: 'Z1' }, /HostedZoneId needs DomainName/],
  ];
  for (const [parameters, why] of refused) assert.throws(() => made({ parameters }), why);
});

test('other code, another parameter and nothing else make another version of each function', () => {
  const versions = (props: HomeProps): string[] => {
    const found = Template.fromStack(made(props)).findResources('AWS::Lambda::Version');
    for (const { DeletionPolicy } of Object.values(found)) assert.equal(DeletionPolicy, 'Retain');
    return Object.keys(found).sort();
  };
  const first = versions({});
  assert.equal(first.length, 5);
  assert.deepEqual(versions({}), first);
  const bootstrap = path.join(home, 'target/lambda/mano-relay/bootstrap');
  fs.writeFileSync(bootstrap, 'other code');
  const code = versions({});
  fs.writeFileSync(bootstrap, '');
  const parameter = versions({ parameters: { LogLevel: 'debug' } });
  for (const other of [code, parameter, versions(everything)]) {
    assert.equal(new Set([...first, ...other]).size, 10, other.join());
  }
  assert.deepEqual(versions({}), first);
});

test('cfn-lint takes what is synthesised with a network and a domain', () => {
  const file = path.join(home, 'synthesised.json');
  fs.writeFileSync(file, JSON.stringify(Template.fromStack(made(everything)).toJSON()));
  // Values of cdk.json stand where the template has parameters: conditions on them are decided already, texts are
  // without variables, groups of parameters name what is not one any more. The zones are those of no account.
  const known = ['W8003', 'W1020', 'W4001', 'W3010'];
  const lint = path.join(HOME, 'target/tools/aws/bin/cfn-lint');
  const found = spawnSync(lint, ['--ignore-checks', ...known, '--format', 'parseable', '--', file], { encoding: 'utf8' });
  assert.equal(found.error, undefined);
  assert.equal(found.stdout, '');
});

test('where it lives is given to the template', () => {
  const template = Template.fromStack(made(everything));
  template.resourceCountIs('AWS::EC2::Subnet', 2);
  template.resourceCountIs('AWS::EC2::NatGateway', 0);
});

test('a parameter that the template has not is refused', () => {
  assert.throws(() => made({ parameters: { Auht: 'JWT' } }), /Auht/);
});

for (const [name, props] of Object.entries({ plain: {}, everything })) {
  test(`no rule of cdk-nag is broken: ${name}`, () => {
    const stack = made(props);
    const anything = Match.stringLikeRegexp('AwsSolutions-.*');
    const found = [
      ...Annotations.fromStack(stack).findError('*', anything),
      ...Annotations.fromStack(stack).findWarning('*', anything),
    ];
    const told = found.map((one) => `${one.id}: ${String(one.entry.data).split('\n')[0]}`);
    assert.deepEqual(told, []);
  });
}
