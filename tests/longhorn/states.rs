//! `reset` from each state in which Longhorn may have been left: the cluster is as it was before `up`, and the others' objects are
//! untouched.

use super::breakage::Breakage;
use super::bystanders::untouched;
use crate::support::Lab;

/// Two tests of one state: on the simulator as an existing cluster, and on a real cluster where `$real` gives one.
macro_rules! reset_from {
    ($state:ident, $breakage:ident, $real:ident) => {
        mod $state {
            use super::{Breakage, reset_from};
            use crate::support::{Lab, Place};

            #[test]
            fn on_an_existing_cluster() {
                reset_from(&Lab::new(Place::served(), "states"), Breakage::$breakage);
            }

            #[test]
            fn on_a_real_cluster() {
                if let Some(place) = Place::$real() {
                    reset_from(&Lab::new(place, "e2e-states"), Breakage::$breakage);
                }
            }
        }
    };
}

reset_from!(healthy, None, real_at_length);
reset_from!(manager_deleted, ManagerDeleted, real_at_length);
reset_from!(namespace_deleted_first, NamespaceDeleted, real_at_length);
// The one that a real cluster shows best: also in the short round.
reset_from!(manifest_deleted_first, ManifestDeleted, real);
reset_from!(definitions_deleted_first, DefinitionsDeleted, real_at_length);
reset_from!(uninstall_job_failed, JobFailed, real_at_length);
reset_from!(job_image_unpullable, ImageGone, real_at_length);
reset_from!(own_api_service_dead, ApiServiceDead, real_at_length);

fn reset_from(lab: &Lab, breakage: Breakage) {
    untouched(lab, || {
        lab.up(&["--longhorn", "--no-canary"]).exits(0);
        breakage.make(lab);
        let run = lab.reset().exits(0);
        if breakage == Breakage::ManifestDeleted {
            assert!(!run.out.contains("longhorn-role"), "somebody else removed it\n{}", run.transcript());
        }
        lab.is_gone();
    });
}
