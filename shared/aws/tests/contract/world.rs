//! Fresh places of one test on AWS: a table, a bucket, a bus, queues; gone when it is over.

use aws_config::{Region, SdkConfig};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType, TableStatus,
};
use jiff::{Timestamp, ToSpan};
use mano_aws::{
    Clients, Settings, SystemClock,
    lambda::{RelayHost, Surroundings},
    store::keys,
};
use mano_model::plan::Index;
use mano_ports::{
    clock::Clock as _,
    contract::{FUNCTION, until},
    function::Function,
};
use serde_json::{Value, json};
use std::{
    future::Future,
    io::Write as _,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::task::JoinHandle;

/// What the tests serve.
pub(crate) static FUNCTIONS: &[&Function] = &[&FUNCTION];

/// Where the tests run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Emulator,
    Account,
}

/// The place the environment names; none: the test is skipped, by name.
pub(crate) fn place() -> Option<Place> {
    let asked = std::env::var("MANO_TEST_AWS").unwrap_or_default();
    let endpoint = std::env::var("AWS_ENDPOINT_URL").is_ok_and(|url| !url.is_empty());
    let why = match (asked.as_str(), endpoint) {
        ("emulator", true) => return Some(Place::Emulator),
        ("account", _) => return Some(Place::Account),
        ("emulator", false) => "MANO_TEST_AWS=emulator, but AWS_ENDPOINT_URL names none",
        _ => "no endpoint; set MANO_TEST_AWS=emulator and AWS_ENDPOINT_URL",
    };
    skip(why);
    None
}

/// Says which test is skipped, and why; also where the output of tests is captured.
pub(crate) fn skip(why: &str) {
    let name = std::thread::current().name().unwrap_or("a test").to_owned();
    let _ = writeln!(std::io::stderr(), "skipped: {name}: {why}");
}

/// Fresh places.
pub(crate) struct World {
    pub(crate) place: Place,
    /// What is in every name.
    pub(crate) name: String,
    pub(crate) config: SdkConfig,
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) sfn: aws_sdk_sfn::Client,
    pub(crate) sqs: aws_sdk_sqs::Client,
    pub(crate) eventbridge: aws_sdk_eventbridge::Client,
    pub(crate) queues: Mutex<Vec<(String, String)>>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Drop for World {
    fn drop(&mut self) {
        self.tasks.lock().expect("the lock").iter().for_each(JoinHandle::abort);
    }
}

impl World {
    /// Names nobody has, and nothing under them yet; `None`: skipped.
    pub(crate) async fn new() -> Option<Arc<Self>> {
        let place = place()?;
        let loader = mano_aws::clients::loader();
        let config = match place {
            Place::Account => loader.load().await,
            Place::Emulator => {
                let keys =
                    aws_sdk_sqs::config::Credentials::new("test", "test", None, None, "test");
                loader.credentials_provider(keys).region(Region::new("us-east-1")).load().await
            }
        };
        let s3 = aws_sdk_s3::config::Builder::from(&config)
            .force_path_style(place == Place::Emulator)
            .build();
        Some(Arc::new(Self {
            place,
            name: format!("mano-law-{}", &uuid::Uuid::new_v4().simple().to_string()[..12]),
            dynamodb: aws_sdk_dynamodb::Client::new(&config),
            s3: aws_sdk_s3::Client::from_conf(s3),
            sfn: aws_sdk_sfn::Client::new(&config),
            sqs: aws_sdk_sqs::Client::new(&config),
            eventbridge: aws_sdk_eventbridge::Client::new(&config),
            config,
            queues: Mutex::default(),
            tasks: Mutex::default(),
        }))
    }

    /// With a table as the template makes it.
    pub(crate) async fn with_table(&self) {
        let text = |name: &str| {
            let definition = AttributeDefinition::builder().attribute_name(name);
            definition.attribute_type(ScalarAttributeType::S).build().expect("whole")
        };
        let key = |name: &str, part| {
            KeySchemaElement::builder().attribute_name(name).key_type(part).build().expect("whole")
        };
        let mut create = self
            .dynamodb
            .create_table()
            .table_name(&self.name)
            .billing_mode(BillingMode::PayPerRequest)
            .attribute_definitions(text(keys::PK))
            .attribute_definitions(text(keys::SK))
            .key_schema(key(keys::PK, KeyType::Hash))
            .key_schema(key(keys::SK, KeyType::Range));
        for index in Index::ALL {
            let all = Projection::builder().projection_type(ProjectionType::KeysOnly).build();
            let index = index.as_str();
            let secondary = GlobalSecondaryIndex::builder()
                .index_name(index)
                .key_schema(key(index, KeyType::Hash))
                .key_schema(key(keys::SK, KeyType::Range))
                .projection(all);
            create = create
                .attribute_definitions(text(index))
                .global_secondary_indexes(secondary.build().expect("whole"));
        }
        create.send().await.expect("a table");
        until("the table", || async {
            let told = self.dynamodb.describe_table().table_name(&self.name).send().await.ok()?;
            (told.table?.table_status? == TableStatus::Active).then_some(())
        })
        .await;
    }

    /// With a bucket.
    pub(crate) async fn with_bucket(&self) {
        let create = self.s3.create_bucket().bucket(&self.name);
        let region = self.config.region().map_or("us-east-1", Region::as_ref);
        let create = if region == "us-east-1" {
            create
        } else {
            let there = aws_sdk_s3::types::BucketLocationConstraint::from(region);
            let there = aws_sdk_s3::types::CreateBucketConfiguration::builder()
                .location_constraint(there)
                .build();
            create.create_bucket_configuration(there)
        };
        create.send().await.expect("a bucket");
    }

    /// With a bus.
    pub(crate) async fn with_bus(&self) {
        self.eventbridge.create_event_bus().name(&self.name).send().await.expect("a bus");
    }

    /// With a queue, whose address the settings will name.
    pub(crate) async fn with_queue(&self, variable: &str, name: &str) -> String {
        use aws_sdk_sqs::types::QueueAttributeName::{
            DeduplicationScope, FifoQueue, FifoThroughputLimit, VisibilityTimeout,
        };
        let name = format!("{}-{name}", self.name);
        let mut create =
            self.sqs.create_queue().queue_name(&name).attributes(VisibilityTimeout, "30");
        if name.ends_with(".fifo") {
            create = create
                .attributes(FifoQueue, "true")
                .attributes(DeduplicationScope, "messageGroup")
                .attributes(FifoThroughputLimit, "perMessageGroupId");
        }
        let url = create.send().await.expect("a queue").queue_url.expect("an address");
        self.queues.lock().expect("the lock").push((variable.into(), url.clone()));
        url
    }

    /// The environment of a function here.
    pub(crate) fn variables(&self) -> Vec<(String, String)> {
        let region = self.config.region().map_or("us-east-1", Region::as_ref);
        let machines = format!("arn:aws:states:{region}:000000000000:stateMachine:{}-", self.name);
        let fixed = [
            ("MANO_TABLE", &*self.name),
            ("MANO_BUCKET", &self.name),
            ("MANO_BUS", &self.name),
            ("MANO_STATE_MACHINE_PREFIX", &machines),
            ("AWS_REGION", region),
        ];
        let fixed = fixed.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let queues = self.queues.lock().expect("the lock").clone();
        let endpoint = std::env::var("AWS_ENDPOINT_URL").ok();
        let endpoint = endpoint.map(|url| ("AWS_ENDPOINT_URL".to_owned(), url));
        fixed.into_iter().chain(queues).chain(endpoint).collect()
    }

    pub(crate) fn settings(&self) -> Settings {
        Settings::read(self.variables()).expect("settings")
    }

    pub(crate) fn clients(&self) -> Clients {
        Clients::of(&self.config, self.place == Place::Emulator)
    }

    /// The ports on what is here.
    pub(crate) fn surroundings(&self) -> Surroundings {
        Surroundings::new(self.settings(), &self.clients(), mano_aws::no_vims)
    }

    /// Works until the test is over.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.tasks.lock().expect("the lock").push(tokio::spawn(work));
    }

    /// Tells the relay of every fact that is written, as the table's stream does.
    pub(crate) fn relay(self: &Arc<Self>) {
        let host = RelayHost::new(FUNCTIONS, self.surroundings());
        let (client, table) = (self.dynamodb.clone(), self.name.clone());
        self.spawn(async move {
            let mut ticks = tokio::time::interval(Duration::from_millis(50));
            loop {
                ticks.tick().await;
                let records = records(&client, &table).await;
                if !records.is_empty() {
                    let told = host.handle(json!({ "Records": records }), soon()).await;
                    told.expect("the relay takes records");
                }
            }
        });
    }

    /// Receives what comes to a queue, for as long as the test runs.
    pub(crate) async fn received(&self, url: &str) -> Vec<String> {
        let receive = self.sqs.receive_message().queue_url(url).max_number_of_messages(10);
        let got = receive.wait_time_seconds(1).send().await.expect("messages");
        let mut bodies = Vec::new();
        for message in got.messages.unwrap_or_default() {
            let receipt = message.receipt_handle.unwrap_or_default();
            let delete = self.sqs.delete_message().queue_url(url).receipt_handle(receipt);
            delete.send().await.expect("deleted");
            bodies.extend(message.body);
        }
        bodies
    }

    /// Removes everything; an emulator forgets by itself.
    pub(crate) async fn remove(&self) {
        if self.place == Place::Emulator {
            return;
        }
        // What was never made is not there to be removed.
        let _ = self.dynamodb.delete_table().table_name(&self.name).send().await;
        let _ = self.eventbridge.delete_event_bus().name(&self.name).send().await;
        let queues = self.queues.lock().expect("the lock").clone();
        for (_, url) in queues {
            let _ = self.sqs.delete_queue().queue_url(url).send().await;
        }
    }
}

/// The end of an invocation that begins now.
pub(crate) fn soon() -> Timestamp {
    SystemClock::default().now() + 60.seconds()
}

/// The facts that lie in the table, as its stream would tell of them.
pub(crate) async fn records(client: &aws_sdk_dynamodb::Client, table: &str) -> Vec<Value> {
    let scan = client
        .scan()
        .table_name(table)
        .consistent_read(true)
        .filter_expression("begins_with(pk, :facts)")
        .expression_attribute_values(
            ":facts",
            aws_sdk_dynamodb::types::AttributeValue::S(keys::FACTS.into()),
        );
    let items = scan.send().await.expect("a scan").items.unwrap_or_default();
    let text = |item: &std::collections::HashMap<_, aws_sdk_dynamodb::types::AttributeValue>,
                name: &str| { item[name].as_s().expect("a text").clone() };
    let record = |(place, item): (usize, _)| {
        json!({ "eventSource": "aws:dynamodb", "eventName": "INSERT", "dynamodb": {
            "SequenceNumber": place.to_string(),
            "Keys": { "pk": { "S": text(&item, "pk") }, "sk": { "S": text(&item, "sk") } } } })
    };
    items.into_iter().enumerate().map(record).collect()
}

/// Whatever must live as long as a test, and goes with it.
pub(crate) struct Keep(pub(crate) Arc<World>);

impl Drop for Keep {
    fn drop(&mut self) {
        let world = Arc::clone(&self.0);
        // The runtime waits for this before it ends.
        tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(world.remove());
        });
    }
}

/// The world of a test; a test that is skipped ends here.
#[macro_export]
macro_rules! world {
    () => {
        match $crate::world::World::new().await {
            Some(world) => world,
            None => return,
        }
    };
}
