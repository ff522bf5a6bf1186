// Reader, builder and report put together. Nothing is thrown out of here: where memory runs out,
// that is a problem of this zone like any other. Thread rule: see load.h.
#include "zones/load.h"

#include <sys/random.h>

#include <exception>
#include <new>

#include "zones/master_file.h"
#include "zones/zone_builder.h"

namespace steerd::zones {

namespace {

constexpr const char* kNoMemory =
    "cannot load: no memory is left (a file that is too large, or a limit of this process: "
    "MemoryMax, ulimit -v)";

std::uint64_t random_seed() {
    std::uint64_t seed = 0;
    // Without random octets the seed is weak, not wrong; on Linux 8 octets always come.
    static_cast<void>(::getrandom(&seed, sizeof(seed), 0));
    return seed;
}

struct Text {
    TextSource source;
    const std::string& file;
    bool on_disk;
};

std::shared_ptr<const Zone> build(const dns::Name& apex, Text text,
                                  std::span<const SteeredOwner> steered, base::Problems& problems) {
    Report report(problems);
    ZoneBuilder builder(apex, random_seed(), report);
    MasterFileReader reader(apex, builder, report);
    if (text.on_disk) {
        reader.allow_includes(text.file);
    }
    reader.read(std::move(text.source), text.file);
    auto zone = builder.finish(steered);
    if (report.dropped_warnings() > 0) {
        problems.warning({text.file, 0, 0}, std::to_string(report.dropped_warnings()) +
                                                " more warnings in this zone are not shown");
    }
    return zone;
}

}  // namespace

std::shared_ptr<const Zone> load_zone(const dns::Name& apex, const std::string& path,
                                      std::span<const SteeredOwner> steered,
                                      base::Problems& problems) noexcept {
    try {
        auto source = TextSource::open(path);
        if (!source) {
            problems.error({path, 0, 0}, "cannot read: " + source.error());
            return nullptr;
        }
        return build(apex, {std::move(source).value(), path, true}, steered, problems);
    } catch (const std::bad_alloc&) {
        problems.error({path, 0, 0}, kNoMemory);
        return nullptr;
    } catch (const std::exception& failure) {
        problems.error({path, 0, 0}, std::string("cannot load: ") + failure.what());
        return nullptr;
    }
}

std::shared_ptr<const Zone> load_zone_text(const dns::Name& apex, std::string_view text,
                                           const std::string& file,
                                           std::span<const SteeredOwner> steered,
                                           base::Problems& problems) noexcept {
    try {
        return build(apex, {TextSource(text), file, false}, steered, problems);
    } catch (const std::bad_alloc&) {
        problems.error({file, 0, 0}, kNoMemory);
        return nullptr;
    } catch (const std::exception& failure) {
        problems.error({file, 0, 0}, std::string("cannot load: ") + failure.what());
        return nullptr;
    }
}

}  // namespace steerd::zones
