// Any octets as a MaxMind DB file: it is refused, or every lookup and the whole walk are safe.
// The file goes through memfd, as the loader takes a path. Thread rule: one thread.
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <string>

#include "geo/database.h"
#include "target.h"

namespace {

using steerd::geo::Database;

/// Leaves in the order of addresses; a checked tree has a bounded number of them.
std::size_t walk(const Database& database, steerd::base::IpFamily family, Database::Record record,
                 unsigned depth) {
    steerd::fuzz::require(depth <= 128, "no deeper than an address");
    if (database.is_leaf(record)) {
        const auto facts = database.facts_of(record);
        steerd::fuzz::require(facts == Database::kNoFacts || facts < database.facts().size(),
                              "a leaf's facts are there");
        return 1;
    }
    const auto [zero, one] = database.children(family, record);
    return walk(database, family, zero, depth + 1) + walk(database, family, one, depth + 1);
}

}  // namespace

// libmaxminddb 1.7 forgets its list of a map in the metadata that is cut short: some KiB for each
// damaged file that is refused, which its caller cannot give back. Our own leaks still count.
extern "C" const char* __lsan_default_suppressions();  // NOLINT: the sanitizer's own name

extern "C" const char* __lsan_default_suppressions() { return "leak:libmaxminddb\n"; }  // NOLINT

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace steerd;  // NOLINT: one function
    if (size > 64U * 1024U) {
        return 0;
    }
    const int fd = memfd_create("fuzz.mmdb", 0);
    fuzz::require(fd >= 0 && write(fd, data, size) == static_cast<ssize_t>(size), "memfd");
    const auto database = geo::Database::open("/proc/self/fd/" + std::to_string(fd));
    close(fd);
    if (!database) {
        fuzz::require(!database.error().empty(), "a refusal says why");
        return 0;
    }
    static const std::array<base::IpAddress, 5> asked = {
        *base::IpAddress::parse("0.0.0.0"), *base::IpAddress::parse("203.0.113.9"),
        *base::IpAddress::parse("255.255.255.255"), *base::IpAddress::parse("2001:db8::1"),
        *base::IpAddress::parse("ffff::")};
    for (const auto& address : asked) {
        const auto found = database->lookup(address);
        fuzz::require(found.facts != nullptr && found.length <= 128, "a lookup tells facts");
    }
    for (const auto family : {base::IpFamily::V4, base::IpFamily::V6}) {
        walk(*database, family, database->root(family), 0);
    }
    return 0;
}
