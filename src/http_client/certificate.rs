//! Certificates: whom we trust besides the system's, and when the other side's expires.

use std::path::Path;

use x509_cert::Certificate;
use x509_cert::der::Decode;

use super::ClientError;
use crate::model::Timestamp;

/// The certificates of a PEM file.
pub(super) fn read_bundle(path: &Path) -> Result<Vec<reqwest::Certificate>, ClientError> {
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| ClientError::CaFile {
        path: path.to_owned(),
        source,
    };
    let pem = std::fs::read(path).map_err(|error| failed(error.into()))?;
    let bundle =
        reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| failed(error.into()))?;
    if bundle.is_empty() {
        return Err(failed("there is no PEM certificate in it".into()));
    }
    Ok(bundle)
}

/// When a certificate (DER) expires; `None` when it cannot be read.
pub(super) fn expires_at(der: &[u8]) -> Option<Timestamp> {
    let certificate = Certificate::from_der(der).ok()?;
    let end = certificate.tbs_certificate().validity().not_after.to_unix_duration();
    Timestamp::from_second(i64::try_from(end.as_secs()).ok()?).ok()
}
