// The short way through answer() for what nearly all clients ask: one question of class IN with
// records that need no name compression, at the name or at the wildcard that covers it; with
// addresses chosen by routes that were made ready (answer_ready.cc); or about what is not there.
// Why a way of its own: it touches each octet of the query once, writes the answer once, and costs
// a fourth of the general walk. It knows no rule that the walk does not know, gives up before the
// outcome says anything wherever there is more to say (chains, cuts, truncation, hashes of clients,
// all down, anything under way, odd options), and tests hold it to the walk octet by octet: with a
// Trace answer() always walks, so explain tells what the short way answers.
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
