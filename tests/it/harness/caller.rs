//! Who asks: one handle for each identity at each host.

use std::fmt;
use std::time::Duration;

use reqwest::header::{HOST, HeaderMap};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

/// A tenant, as seen from outside.
#[derive(Clone)]
pub(crate) struct Tenant {
    port: u16,
    subdomain: String,
    owner: String,
}

impl Tenant {
    pub(crate) fn new(port: u16, subdomain: &str, owner: &str) -> Self {
        Self {
            port,
            subdomain: subdomain.to_owned(),
            owner: owner.to_owned(),
        }
    }

    pub(crate) fn anonymous(&self) -> Caller {
        Caller::new(self.port, format!("{}.localhost", self.subdomain), None)
    }

    pub(crate) fn with_token(&self, token: &str) -> Caller {
        self.anonymous().with_token(Some(token))
    }

    /// Logs in as `<name>@<subdomain>.test`.
    pub(crate) async fn member(&self, name: &str) -> Caller {
        let input = json!({
            "email": format!("{name}@{}.test", self.subdomain),
            "password": "demo-password",
        });
        let mutation = "mutation ($input: LogInInput!) { logIn(input: $input) { accessToken } }";
        let answer = self
            .anonymous()
            .ask(mutation, json!({"input": input}))
            .await;
        self.with_token(answer.data()["logIn"]["accessToken"].as_str().unwrap())
    }

    pub(crate) async fn owner(&self) -> Caller {
        self.member(&self.owner).await
    }
}

/// Somebody, at one host of one replica.
#[derive(Clone)]
pub(crate) struct Caller {
    http: reqwest::Client,
    pub(crate) port: u16,
    pub(crate) host: String,
    pub(crate) token: Option<String>,
}

impl Caller {
    pub(crate) fn new(port: u16, host: String, token: Option<String>) -> Self {
        // Another crate turns TLS on in reqwest, which then asks for this; only the first one counts.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_mins(1))
            .build();
        Self {
            http: http.unwrap(),
            port,
            host,
            token,
        }
    }

    /// The same identity and host, at another replica.
    pub(crate) fn at(&self, service: &super::Service) -> Self {
        Self {
            port: service.port(),
            ..self.clone()
        }
    }

    /// The same host, with that token or none.
    pub(crate) fn with_token(&self, token: Option<&str>) -> Self {
        Self {
            token: token.map(str::to_owned),
            ..self.clone()
        }
    }

    pub(crate) fn subdomain(&self) -> &str {
        self.host.split('.').next().unwrap_or_default()
    }

    /// A request to a path, as this identity.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self
            .http
            .request(method, format!("http://127.0.0.1:{}{path}", self.port))
            .header(HOST, format!("{}:{}", self.host, self.port));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path)).await
    }

    /// Sends a JSON body to `/graphql`.
    pub(crate) async fn post(&self, body: &Value) -> Answer {
        Answer::of(self.request(Method::POST, "/graphql").json(body)).await
    }

    pub(crate) async fn query(&self, query: &str) -> Answer {
        self.post(&json!({"query": query})).await
    }

    pub(crate) async fn ask(&self, query: &str, variables: Value) -> Answer {
        self.post(&json!({"query": query, "variables": variables}))
            .await
    }
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) async fn of(request: RequestBuilder) -> Self {
        Self::try_of(request).await.unwrap()
    }

    pub(crate) async fn try_of(request: RequestBuilder) -> reqwest::Result<Self> {
        let response = request.send().await?;
        Ok(Self {
            status: response.status(),
            headers: response.headers().clone(),
            text: response.text().await?,
        })
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The data of an answer without errors.
    #[track_caller]
    pub(crate) fn data(&self) -> Value {
        let mut json = self.json();
        assert!(json.get("errors").is_none(), "{self:?}");
        json["data"].take()
    }

    /// `extensions.code` of the only error.
    #[track_caller]
    pub(crate) fn code(&self) -> String {
        let json = self.json();
        let errors = json["errors"].as_array().map_or(&[][..], Vec::as_slice);
        assert_eq!(errors.len(), 1, "{self:?}");
        let code = errors[0]["extensions"]["code"].as_str();
        code.unwrap_or_default().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap_or_default())
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.text)
    }
}
