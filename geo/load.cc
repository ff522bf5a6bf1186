#include "geo/load.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <span>
#include <system_error>
#include <utility>

#include "geo/sealed_file.h"
#include "geo/world_builder.h"

namespace steerd::geo {

namespace {

using Octets = std::span<const std::uint8_t>;
namespace fs = std::filesystem;

/// All octets and their name on disk before it returns; errno tells why not.
bool write_durably(const fs::path& path, Octets octets) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) {
        return false;
    }
    bool good = true;
    while (good && !octets.empty()) {
        const ssize_t n = ::write(fd, octets.data(), octets.size());
        good = n > 0 || (n < 0 && errno == EINTR);
        octets = octets.subspan(n > 0 ? static_cast<std::size_t>(n) : 0);
    }
    good = good && ::fsync(fd) == 0;
    const int reason = errno;
    ::close(fd);
    errno = reason;
    return good;
}

class Loader {
  public:
    Loader(const GeoSpec& spec, base::Problems& problems) : spec_(spec), problems_(problems) {}

    LoadedWorld load() {
        input_.regions = spec_.regions;
        input_.node = spec_.node_location;
        input_.networks = prepare_networks(spec_.networks, problems_);
        for (const fs::path& path : spec_.databases) {
            load_database(path);
        }
        load_country_table();
        if (spec_.latency) {
            load_latency(*spec_.latency);
        }
        loaded_.world = build_world(std::move(input_));
        return std::move(loaded_);
    }

  private:
    /// Where the last good copy of a file lies; nullopt without a state_dir.
    [[nodiscard]] std::optional<fs::path> copy_path(const fs::path& path) {
        if (!spec_.state_dir) {
            return std::nullopt;
        }
        std::string name = path.filename().string();
        while (std::find(copy_names_.begin(), copy_names_.end(), name) != copy_names_.end()) {
            name.insert(0, "other-");
        }
        copy_names_.push_back(name);
        return *spec_.state_dir / "geo" / name;
    }

    void keep_copy(const std::optional<fs::path>& copy, Octets octets) {
        if (!copy || !spec_.keep_copies) {
            return;
        }
        const auto kept = SealedFile::read(*copy);
        if (kept && std::equal(octets.begin(), octets.end(), kept->octets().begin(),
                               kept->octets().end())) {
            return;
        }
        std::error_code error;
        fs::create_directories(copy->parent_path(), error);
        const fs::path fresh = copy->string() + ".new";
        errno = error.value();
        // Written aside and renamed, so that a crash at any instant leaves a whole copy.
        if (error || !write_durably(fresh, octets) ||
            std::rename(fresh.c_str(), copy->c_str()) != 0) {
            problems_.warning({copy->string(), 0, 0}, "the last good copy cannot be kept: " +
                                                          std::generic_category().message(errno));
        }
    }

    void use_database(const fs::path& path, Database database, GeoSource::From from) {
        loaded_.sources.push_back({path, from, database.type(), database.build_epoch()});
        input_.databases.push_back({path.filename().string(), std::move(database)});
    }

    void load_database(const fs::path& path) {
        const base::SourcePos at{path.string(), 0, 0};
        if (input_.databases.size() == kMaxDatabases) {
            problems_.error(at, "more than " + std::to_string(kMaxDatabases) + " databases");
            return;
        }
        const std::optional<fs::path> copy = copy_path(path);
        auto database = Database::open(path);
        if (database) {
            keep_copy(copy, database->octets());
            use_database(path, std::move(*database), GeoSource::From::File);
            return;
        }
        problems_.error(at, "the database " + database.error());
        if (copy) {
            auto kept = Database::open(*copy);
            if (kept) {
                problems_.warning(at, "the last good copy is used: " + copy->string());
                use_database(path, std::move(*kept), GeoSource::From::LastGoodCopy);
                return;
            }
        }
        lost_database_ = true;
        loaded_.sources.push_back({path, GeoSource::From::Nothing, {}, 0});
    }

    /// Where no database is configured, and in the place of one that is bad.
    void load_country_table() {
        if (!spec_.databases.empty() && !lost_database_) {
            return;
        }
        input_.country_table = CountryTable::load(spec_.country_table, problems_);
        if (!input_.country_table) {
            return;
        }
        if (spec_.databases.empty()) {
            loaded_.sources.push_back({spec_.country_table, GeoSource::From::CountryTable, {}, 0});
        }
        for (GeoSource& source : loaded_.sources) {
            if (source.from == GeoSource::From::Nothing) {
                source.from = GeoSource::From::CountryTable;
            }
        }
        loaded_.notes.push_back("places come from the country table in " +
                                spec_.country_table.string() +
                                " (IPFire Location database, CC BY-SA 4.0), "
                                "a country standing at its largest city");
    }

    [[nodiscard]] std::vector<std::string> region_names() const {
        std::vector<std::string> names;
        for (const Region& region : spec_.regions) {
            names.push_back(region.name);
        }
        return names;
    }

    void load_latency(const fs::path& path) {
        const base::SourcePos at{path.string(), 0, 0};
        const std::optional<fs::path> copy = copy_path(path);
        const std::vector<std::string> regions = region_names();
        GeoSource source{path, GeoSource::From::Nothing, {}, 0};
        base::Problems found;
        const auto file = SealedFile::read(path);
        if (file) {
            input_.latency =
                LatencyTable::parse(file->text(), at.file, regions, found, spec_.latency_limits);
            source.from = GeoSource::From::File;
        } else {
            found.error(at, "the latency table " + file.error());
        }
        if (!found.has_errors()) {
            keep_copy(copy, file->octets());
        } else if (copy) {
            const auto kept = SealedFile::read(*copy);
            base::Problems ignored;
            LatencyTable table;
            if (kept) {
                table = LatencyTable::parse(kept->text(), copy->string(), regions, ignored,
                                            spec_.latency_limits);
            }
            if (kept && !ignored.has_errors()) {
                found.warning(at, "the last good copy is used: " + copy->string());
                input_.latency = std::move(table);
                source.from = GeoSource::From::LastGoodCopy;
            }
        }
        problems_.append(found);
        loaded_.sources.push_back(std::move(source));
    }

    const GeoSpec& spec_;
    base::Problems& problems_;
    WorldInput input_;
    LoadedWorld loaded_;
    std::vector<std::string> copy_names_;
    bool lost_database_ = false;
};

}  // namespace

LoadedWorld load_world(const GeoSpec& spec, base::Problems& problems) {
    return Loader(spec, problems).load();
}

}  // namespace steerd::geo
