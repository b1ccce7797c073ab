/** Values of the template's parameters: checked when they are written down, and decided where tokens cannot stand. */
import { CfnCondition, CfnRule, Fn, Token } from 'aws-cdk-lib';
import { CfnInclude } from 'aws-cdk-lib/cloudformation-include';

/** What the template takes; see its section Parameters. */
export type Parameters = { readonly [name: string]: string };

/** A parameter as the template declares it. */
interface Declared {
  readonly Type: string;
  readonly Default?: string | number;
  readonly AllowedValues?: readonly (string | number)[];
  readonly AllowedPattern?: string;
  readonly ConstraintDescription?: string;
  readonly MaxLength?: number;
  readonly MinValue?: number;
  readonly MaxValue?: number;
}

interface Assertion {
  readonly Assert: unknown;
  readonly AssertDescription: string;
}

/** What is read of the expanded template. */
export interface Written {
  readonly Parameters: { readonly [name: string]: Declared };
  readonly Conditions: { readonly [name: string]: unknown };
  readonly Rules: { readonly [name: string]: { readonly RuleCondition: unknown; readonly Assertions: Assertion[] } };
}

type Value = string | readonly string[];

/** The values that a deployment gives, in place of what is chosen anew or kept from before at every deployment. */
export class Values {
  constructor(
    private readonly written: Written,
    private readonly given: Parameters,
  ) {
    for (const [name, value] of Object.entries(given)) this.check(name, value);
    for (const { RuleCondition, Assertions } of this.decided()) {
      if (!this.holds(RuleCondition)) continue;
      const broken = Assertions.find(({ Assert }) => !this.holds(Assert));
      if (broken) throw new Error(broken.AssertDescription);
    }
  }

  /** As CfnInclude puts them where the template refers to them. */
  forInclude(): { [name: string]: Value } {
    return Object.fromEntries(Object.keys(this.given).map((name) => [name, this.value(name)]));
  }

  /** Takes out rules that are decided; writes down how conditions are that would refer to resources. */
  settle(template: CfnInclude): void {
    for (const name of Object.keys(this.written.Rules)) {
      const rule: CfnRule = template.getRule(name);
      if (this.names(this.written.Rules[name])) rule.node.scope?.node.tryRemoveChild(rule.node.id);
    }
    for (const [name, said] of Object.entries(this.written.Conditions)) {
      if (!this.names(said, (value) => Token.isUnresolved(value))) continue;
      const condition: CfnCondition = template.getCondition(name);
      condition.expression = Fn.conditionEquals('yes', this.holds(said) ? 'yes' : 'no');
    }
  }

  /** Without the parameter CloudFormation would not look at the value any more. */
  private check(name: string, value: string): void {
    const said = this.written.Parameters[name];
    if (!said) throw new Error(`the template has no parameter ${name}`);
    if (Token.isUnresolved(value)) return;
    const number = Number(value);
    const fits =
      (!said.AllowedValues || said.AllowedValues.map(String).includes(value)) &&
      (!said.AllowedPattern || new RegExp(`^(?:${said.AllowedPattern})$`).test(value)) &&
      value.length <= (said.MaxLength ?? Infinity) &&
      (said.Type !== 'Number' ||
        (value !== '' && number >= (said.MinValue ?? -Infinity) && number <= (said.MaxValue ?? Infinity)));
    if (fits) return;
    const { Type, AllowedValues, ConstraintDescription, MinValue, MaxValue, MaxLength } = said;
    const known = JSON.stringify({ Type, AllowedValues, ConstraintDescription, MinValue, MaxValue, MaxLength });
    throw new Error(`parameter ${name} is '${value}', which does not fit: ${known}`);
  }

  /** The rules that look at a value given here. */
  private decided(): Written['Rules'][string][] {
    return Object.values(this.written.Rules).filter((rule) => this.names(rule));
  }

  private value(name: string): Value {
    const said = this.written.Parameters[name];
    const value = this.given[name] ?? String(said?.Default ?? '');
    return said?.Type === 'CommaDelimitedList' ? value.split(',') : value;
  }

  /** Whether an expression refers to a value given here, of those that are meant. */
  private names(said: unknown, meant: (value: string) => boolean = () => true): boolean {
    if (typeof said !== 'object' || said === null) return false;
    const ref = (said as { Ref?: string }).Ref;
    const value = ref === undefined ? undefined : this.given[ref];
    return (value !== undefined && meant(value)) || Object.values(said).some((below) => this.names(below, meant));
  }

  private holds(said: unknown): boolean {
    const [[verb, of] = []] = Object.entries(said as { [verb: string]: unknown[] });
    const [first, second] = (of ?? []) as unknown[];
    switch (verb) {
      case 'Fn::Not':
        return !this.holds(first);
      case 'Fn::Equals':
        return this.read(first) === this.read(second);
      case 'Fn::Contains':
        return (this.read(first) as readonly string[]).includes(this.read(second) as string);
      default:
        throw new Error(`${verb} is not known in a rule or condition; see lib/values.ts`);
    }
  }

  private read(said: unknown): Value {
    if (typeof said === 'string') return said;
    const { Ref: ref, 'Fn::Join': join } = said as { Ref?: string; 'Fn::Join'?: [string, unknown] };
    if (ref !== undefined) return this.value(ref);
    if (join) return (this.read(join[1]) as readonly string[]).join(join[0]);
    throw new Error(`${JSON.stringify(said)} is not known in a rule or condition; see lib/values.ts`);
  }
}
