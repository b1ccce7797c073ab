/** The deployments of `cdk.json`, context `stages`: one for each account and region. */
import { App } from 'aws-cdk-lib';
import { Home, HomeProps } from '../lib/home';
import { watch } from '../lib/rules';

interface Stage extends HomeProps {
  readonly name: string;
}

const app = new App();
const stages = app.node.tryGetContext('stages') as Stage[] | undefined;
if (!stages?.length) throw new Error('cdk.json has no context "stages"; name at least one deployment');
for (const { name, ...props } of stages) {
  watch(new Home(app, name, props));
}
