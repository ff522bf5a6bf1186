// The short way through answer() for what nearly all clients ask: one question of class IN for a
// name that stands in a zone, with records that need no name compression or with one address of one
// endpoint chosen by a route. Why a way of its own: it touches each octet of the query once, writes
// the answer once, and costs a third of the general walk. It knows no rule that the walk does not
// know, gives up before it has written anything wherever there is more to say (chains, cuts,
// wildcards, negative answers, truncation, several addresses, anything under way, odd options), and
// a test holds it to the walk octet by octet: with a Trace answer() always walks.
// RFC 1035 §4.1, RFC 6891, RFC 7871, RFC 7873 (length rules only). Thread rule: as answer.h.
#pragma once

#include <cstdint>
#include <span>

#include "policy/answer.h"

namespace steerd::policy {

/// True: `out` and `outcome` are complete. False: neither says anything; walk.
/// REQUIRES: as answer(); a fresh outcome.
[[nodiscard]] bool answer_common(const Snapshot& snapshot, const Request& request,
                                 std::span<std::uint8_t> out, Outcome& outcome) noexcept;

}  // namespace steerd::policy
