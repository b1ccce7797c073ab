/** What is synthesised, without an account and without the network. */
import assert from 'node:assert/strict';
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
  parameters: { Auth: 'JWT', JwtIssuer: 'https://login.example.com', JwtAudience: 'mano' },
  network: { cidr: '10.20.0.0/20' },
  domain: { name: 'mano.example.com', zoneId: 'Z0000000000000000000', zoneName: 'example.com' },
  told: ['operators@example.com', 'https://alarms.example.com/mano'],
};

test('the template is taken in whole and nothing of it is defined twice', () => {
  const resources = Template.fromStack(made({})).toJSON().Resources;
  const names = Object.keys(expanded.Resources).filter((name) => name !== 'Schemas');
  for (const name of names) {
    assert.equal(resources[name]?.Type, expanded.Resources[name].Type, name);
  }
  const added = Object.keys(resources).filter((name) => !names.includes(name));
  assert.deepEqual(added.map((name) => resources[name].Type), ['AWS::CloudFormation::Stack']);
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

test('where it lives is given to the template', () => {
  const template = Template.fromStack(made(everything));
  const { Parameters } = template.toJSON();
  assert.equal(Parameters.Auth.Default, 'JWT');
  assert.equal(Parameters.DomainName.Default, 'mano.example.com');
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
