// Any text as a master file: what loads is asked for each of its kinds of answer, so that what the
// loader lets in cannot hurt the lookup. Problems must tell a place. Thread rule: one thread.
#include <array>
#include <vector>

#include "dns/name.h"
#include "target.h"
#include "zones/load.h"

// ldns leaks a few octets of some rdata that it refuses. Our own leaks still count.
extern "C" const char* __lsan_default_suppressions();  // NOLINT: the sanitizer's own name

extern "C" const char* __lsan_default_suppressions() { return "leak:libldns\n"; }  // NOLINT

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace steerd;  // NOLINT: one function
    static const dns::Name apex = *dns::Name::parse("example.com.");
    static const std::vector<zones::SteeredOwner> steered = {
        {*dns::Name::parse("www.example.com."), {}, true, 0},
        {*dns::Name::parse("*.apps.example.com."), {}, false, 1}};
    static const std::array<dns::Name, 5> asked = {
        apex, *dns::Name::parse("www.example.com."), *dns::Name::parse("a.b.c.example.com."),
        *dns::Name::parse("x.apps.example.com."), *dns::Name::parse("ns.sub.example.com.")};

    const fuzz::Input input(data, size);
    base::Problems problems;
    const auto zone = zones::load_zone_text(apex, input.text(), "zone", steered, problems);
    fuzz::require((zone == nullptr) == problems.has_errors(), "no zone exactly where errors are");
    if (zone) {
        for (const dns::Name& name : asked) {
            for (const auto type : {dns::RrType::A, dns::RrType::NS, dns::RrType::MX}) {
                static_cast<void>(zone->lookup(name, type));
            }
        }
    }
    return 0;
}
