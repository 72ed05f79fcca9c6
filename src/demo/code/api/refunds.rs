//! Money back.

/// Refunds are whole cents and never more than was paid.
pub fn refund(paid: u64, asked: u64) -> Option<u64> {
    (asked <= paid).then_some(asked)
}
