#include "server/process.h"

#include <sys/random.h>
#include <sys/resource.h>

#include "base/check.h"

namespace steerd::server {

std::uint64_t random_seed() {
    std::uint64_t seed = 0;
    CHECK(::getrandom(&seed, sizeof seed, 0) == sizeof seed);
    return seed;
}

std::size_t raise_descriptor_limit() {
    constexpr std::size_t kUsual = 1024;
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return kUsual;
    }
    if (limit.rlim_cur == limit.rlim_max) {
        return limit.rlim_max;  // a sandbox may forbid to set what is set already
    }
    limit.rlim_cur = limit.rlim_max;
    return ::setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_max : kUsual;
}

}  // namespace steerd::server
