//! TLS to Postgres with libpq's degrees of verification, by rustls.

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::conninfo::{Roots, Trust};
use super::error::DatabaseUrlError;

/// Makes TLS connections for tokio-postgres. It is not asked when the configuration says `SslMode::Disable`.
pub type Tls = MakeRustlsConnect;

/// Reads the root certificates that `trust` names.
pub(super) fn connector(trust: &Trust) -> Result<Tls, DatabaseUrlError> {
    let (check, authorities) = match trust {
        Trust::Anyone => (Check::Nothing, Authorities::default()),
        Trust::Chain(path) => (Check::Chain, Authorities::read(path)?),
        Trust::ChainAndHost(Roots::File(path)) => (Check::ChainAndHost, Authorities::read(path)?),
        Trust::ChainAndHost(Roots::System) => (Check::ChainAndHost, Authorities::of_the_system()?),
    };
    let provider = Arc::new(ring::default_provider());
    let verifier = Verifier {
        check,
        authorities,
        provider: Arc::clone(&provider),
    };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has cipher suites for TLS 1.2 and 1.3")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    // Postgres 17 insists on it for sslnegotiation=direct; older servers do not look.
    config.alpn_protocols = vec![b"postgresql".to_vec()];
    Ok(MakeRustlsConnect::new(config))
}

/// The trusted root certificates.
#[derive(Debug)]
struct Authorities {
    roots: RootCertStore,
    /// The same certificates as they were read.
    certificates: Vec<CertificateDer<'static>>,
}

impl Default for Authorities {
    fn default() -> Self {
        Authorities {
            roots: RootCertStore::empty(),
            certificates: Vec::new(),
        }
    }
}

impl Authorities {
    fn read(path: &Path) -> Result<Authorities, DatabaseUrlError> {
        let failed = |reason: String| DatabaseUrlError::RootCertificates {
            path: path.to_owned(),
            reason,
        };
        let certificates = CertificateDer::pem_file_iter(path)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| failed(error.to_string()))?;
        Authorities::of(certificates)
            .ok_or_else(|| failed("it holds no valid PEM certificate".to_owned()))
    }

    fn of_the_system() -> Result<Authorities, DatabaseUrlError> {
        let found = rustls_native_certs::load_native_certs();
        Authorities::of(found.certs).ok_or_else(|| {
            let reason = found.errors.first().map(ToString::to_string);
            DatabaseUrlError::SystemCertificates {
                reason: reason.unwrap_or_else(|| "there are none".to_owned()),
            }
        })
    }

    /// `None` if not one of the certificates can be used.
    fn of(certificates: Vec<CertificateDer<'static>>) -> Option<Authorities> {
        let mut roots = RootCertStore::empty();
        let (usable, _) = roots.add_parsable_certificates(certificates.iter().cloned());
        (usable > 0).then_some(Authorities {
            roots,
            certificates,
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Check {
    Nothing,
    Chain,
    ChainAndHost,
}

/// Verifies as much as `check` asks for. That the server holds its certificate's key is always verified.
#[derive(Debug)]
struct Verifier {
    check: Check,
    authorities: Authorities,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    fn verify_chain(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), rustls::Error> {
        let algorithms = self.provider.signature_verification_algorithms.all;
        let parsed = ParsedCertificate::try_from(certificate)?;
        let result = verify_server_cert_signed_by_trust_anchor(
            &parsed,
            &self.authorities.roots,
            intermediates,
            now,
            algorithms,
        );
        match result {
            // The Postgres manual's self-signed certificate is its own authority, which webpki refuses in a server.
            // Whoever trusts it by name means it; its dates still count, and are checked before anything else.
            Err(rustls::Error::InvalidCertificate(problem))
                if !is_about_dates(&problem)
                    && self.authorities.certificates.contains(certificate) =>
            {
                Ok(())
            }
            result => result,
        }
    }
}

fn is_about_dates(problem: &CertificateError) -> bool {
    matches!(
        problem,
        CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. }
    )
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        host: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if self.check != Check::Nothing {
            self.verify_chain(certificate, intermediates, now)?;
        }
        if self.check == Check::ChainAndHost {
            verify_server_name(&ParsedCertificate::try_from(certificate)?, host)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
