/** Where one deployment lives: account, region, network, domain, and who is told of alarms. */
import {
  Stack,
  StackProps,
  Tags,
  aws_certificatemanager as acm,
  aws_ec2 as ec2,
  aws_route53 as route53,
  aws_sns as sns,
  aws_sns_subscriptions as subscriptions,
} from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { Mano } from './mano';
import { Parameters } from './values';

export interface HomeProps extends StackProps {
  /** Parameters of the template that differ from their defaults. */
  readonly parameters?: Parameters;
  /** A network of its own for the functions, to be joined to that of the VIMs. */
  readonly network?: { readonly cidr: string };
  /** The host name of the interfaces, in a zone of this account. */
  readonly domain?: { readonly name: string; readonly zoneId: string; readonly zoneName: string };
  /** Who is told of alarms and failed operations, by mail or at an HTTPS address. */
  readonly told?: readonly string[];
  /** Where code and workflows lie; the project's folder by default. */
  readonly home?: string;
}

/** One deployment. */
export class Home extends Stack {
  readonly mano: Mano;

  constructor(scope: Construct, id: string, props: HomeProps) {
    super(scope, id, props);
    const parameters = {
      ...props.parameters,
      ...(props.network ? this.network(props.network.cidr) : {}),
      ...(props.domain ? this.domain(props.domain) : {}),
    };
    this.mano = new Mano(this, 'Mano', { parameters, ...(props.home ? { home: props.home } : {}) });
    this.tell(props.told ?? []);
    Tags.of(this).add('application', 'mano');
  }

  /** Private subnets in two zones; AWS is reached by endpoints, VIMs by what the operator attaches. */
  private network(cidr: string): Parameters {
    const vpc = new ec2.Vpc(this, 'Network', {
      ipAddresses: ec2.IpAddresses.cidr(cidr),
      maxAzs: 2,
      natGateways: 0,
      subnetConfiguration: [{ name: 'functions', subnetType: ec2.SubnetType.PRIVATE_ISOLATED }],
      gatewayEndpoints: {
        tables: { service: ec2.GatewayVpcEndpointAwsService.DYNAMODB },
        content: { service: ec2.GatewayVpcEndpointAwsService.S3 },
      },
      flowLogs: { all: {} },
    });
    const group = new ec2.SecurityGroup(this, 'Functions', {
      vpc,
      description: 'The functions of the orchestrator',
      allowAllOutbound: true,
    });
    const doors = new ec2.SecurityGroup(this, 'Endpoints', { vpc, allowAllOutbound: false });
    doors.addIngressRule(group, ec2.Port.tcp(443), 'The functions call AWS');
    const services = {
      Events: ec2.InterfaceVpcEndpointAwsService.EVENTBRIDGE,
      Keys: ec2.InterfaceVpcEndpointAwsService.KMS,
      Logs: ec2.InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS,
      Queues: ec2.InterfaceVpcEndpointAwsService.SQS,
      Secrets: ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
      Traces: ec2.InterfaceVpcEndpointAwsService.XRAY,
      Workflows: ec2.InterfaceVpcEndpointAwsService.STEP_FUNCTIONS,
    };
    for (const [name, service] of Object.entries(services)) {
      vpc.addInterfaceEndpoint(name, { service, securityGroups: [doors], open: false });
    }
    const subnets = vpc.isolatedSubnets.map((subnet) => subnet.subnetId);
    return { SubnetIds: subnets.join(','), SecurityGroupIds: group.securityGroupId };
  }

  /** A certificate that proves itself by a record of the zone. */
  private domain(domain: { name: string; zoneId: string; zoneName: string }): Parameters {
    const { zoneId: hostedZoneId, zoneName } = domain;
    const zone = route53.HostedZone.fromHostedZoneAttributes(this, 'Zone', { hostedZoneId, zoneName });
    const validation = acm.CertificateValidation.fromDns(zone);
    const certificate = new acm.Certificate(this, 'Certificate', { domainName: domain.name, validation });
    return {
      DomainName: domain.name,
      CertificateArn: certificate.certificateArn,
      HostedZoneId: hostedZoneId,
    };
  }

  private tell(told: readonly string[]): void {
    const topic = this.mano.template.getResource('Operators') as sns.CfnTopic;
    const operators = sns.Topic.fromTopicArn(this, 'Operators', topic.ref);
    for (const address of told) {
      operators.addSubscription(
        address.startsWith('https://')
          ? new subscriptions.UrlSubscription(address)
          : new subscriptions.EmailSubscription(address),
      );
    }
  }
}
