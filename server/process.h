// What this process asks of the system at start: descriptors and randomness.
// Thread rule: the main thread.
#pragma once

#include <cstddef>
#include <cstdint>

namespace steerd::server {

/// 64 bits of the system's randomness.
[[nodiscard]] std::uint64_t random_seed();
/// Probes and TCP clients take descriptors: as many as the system lets us have; how many that is.
std::size_t raise_descriptor_limit();

}  // namespace steerd::server
