//! `/api/v1`: what was decided and what is stored, as JSON for scripts.
//!
//! Owns the table of resources: the routes and the OpenAPI document are both made of it, so neither
//! has what the other lacks. Invariant: what is answered is what was decided, or a problem; never a
//! guess.

mod advice;
mod current;
mod history;
mod jobs;
mod list;
mod openapi;
mod query;
mod refusal;
mod uptime;

use axum::Router;
use axum::routing::{MethodRouter, get};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::Value;

use self::list::List;
use self::query::Nothing;
use super::WebState;
use crate::wire::{
    BudgetJson, CapabilityJson, ComponentJson, DeliveryJson, IncidentJson, JobJson,
    ObservationJson, ProbeJson, UptimeJson, VerdictJson,
};

/// One address below `/api/v1`.
struct Resource {
    path: &'static str,
    summary: &'static str,
    /// Parameters of the query, as OpenAPI has them.
    query: Vec<Value>,
    /// The schema of its answer.
    answer: Value,
    is_public: bool,
    route: MethodRouter<WebState>,
}

/// The table, and the generator that has seen all its schemas.
struct Table {
    schemas: SchemaGenerator,
    resources: Vec<Resource>,
}

impl Table {
    fn new() -> Self {
        let settings = SchemaSettings::draft2020_12().for_serialize().with(|settings| {
            settings.definitions_path = "/components/schemas".into();
        });
        Self { schemas: settings.into_generator(), resources: Vec::new() }
    }

    /// A resource that answers `A` and takes the parameters of `Q`.
    fn add<Q: JsonSchema, A: JsonSchema>(
        mut self,
        path: &'static str,
        summary: &'static str,
        route: MethodRouter<WebState>,
    ) -> Self {
        let answer = self.schemas.subschema_for::<A>().to_value();
        let query = openapi::parameters::<Q>();
        self.resources.push(Resource { path, summary, query, answer, is_public: true, route });
        self
    }

    /// The last one is for trusted readers alone.
    fn trusted(mut self) -> Self {
        if let Some(resource) = self.resources.last_mut() {
            resource.is_public = false;
        }
        self
    }
}

fn table() -> Table {
    stored(believed(Table::new()))
}

/// What the daemon believes now.
fn believed(table: Table) -> Table {
    table
        .add::<Nothing, VerdictJson>(
            "/verdict",
            "Is it them or us? The whole, and each capability with evidence and advice",
            get(current::verdict),
        )
        .add::<current::CapabilitiesQuery, List<CapabilityJson>>(
            "/capabilities",
            "What a HeyGen user depends on, each with its state",
            get(current::capabilities),
        )
        .add::<current::ComponentsQuery, List<ComponentJson>>(
            "/components",
            "Rows of the status pages that are read",
            get(current::components),
        )
        .add::<current::ProbesQuery, List<ProbeJson>>(
            "/probes",
            "The scheduled checks, each with its last run",
            get(current::probes),
        )
        .add::<Nothing, BudgetJson>(
            "/budget",
            "What tests may cost, what they did, and the balance",
            get(jobs::budget),
        )
        .trusted()
        .add::<advice::AdviceQuery, advice::AdviceAnswer>(
            "/advice",
            "What to do now about one capability, in five words for a script",
            get(advice::advice),
        )
        .add::<Nothing, advice::AdviceAnswer>(
            "/gate/{capability}",
            "200 while the advice is `go`, else 503 with Retry-After: for `curl -f`",
            get(advice::gate),
        )
}

/// What is in the database.
fn stored(table: Table) -> Table {
    table
        .add::<history::ObservationsQuery, List<ObservationJson>>(
            "/observations",
            "Runs of the checks, newest first",
            get(history::observations),
        )
        .add::<jobs::JobsQuery, List<JobJson>>(
            "/jobs",
            "The account's videos and translations, newest first",
            get(jobs::jobs),
        )
        .trusted()
        .add::<history::IncidentsQuery, List<IncidentJson>>(
            "/incidents",
            "Confirmed trouble, newest first; the last 30 days unless `since` says otherwise",
            get(history::incidents),
        )
        .add::<Nothing, IncidentJson>(
            "/incidents/{id}",
            "One incident with its events and evidence",
            get(history::incident),
        )
        .add::<uptime::UptimeQuery, UptimeJson>(
            "/uptime",
            "Where the time of each capability went, whole and by calendar day",
            get(uptime::uptimes),
        )
        .add::<history::DeliveriesQuery, List<DeliveryJson>>(
            "/deliveries",
            "Messages that channels were owed, newest first",
            get(history::deliveries),
        )
        .trusted()
}

/// The routes, below `/api/v1`.
pub(super) fn routes() -> Router<WebState> {
    let resources = table().resources.into_iter();
    resources.fold(Router::new(), |router, resource| router.route(resource.path, resource.route))
}

pub(super) use self::openapi::document;
