//! The rules of the CPF merge that can be judged without IRIS. Each finding names its setting or action.

mod action;
pub mod merge;
mod settings;

use super::image::Image;
use super::source::Finding;
use super::types::Lab;

/// Everything wrong with the CPF merge of a lab.
pub fn check(lab: &Lab) -> Vec<Finding> {
    // An image that cannot be read is reported already; its rules are left out.
    let image = Image::parse(&lab.spec.iris.image).ok();
    let mut findings = settings::check(&lab.spec.iris, image.as_ref());
    findings.extend(action::check(&lab.spec.iris.cpf.actions, image.as_ref()));
    findings
}

/// Names of the accounts that actions create.
pub(super) fn created_users(actions: &[String]) -> Vec<&str> {
    action::created(actions, "User")
}

#[cfg(test)]
mod tests;
