#include "geo/database.h"

#include <maxminddb.h>

#include "geo/intern.h"
#include "geo/mmdb_layout.h"
#include "geo/record.h"
#include "geo/record_index.h"
#include "geo/sealed_file.h"
#include "geo/tree_check.h"

namespace steerd::geo {

namespace {

// A city record, pointers followed, reads about 2 items for each of its octets.
constexpr std::uint64_t kItemsPerOctet = 32;
constexpr std::uint64_t kSpareItems = 65536;

[[nodiscard]] bool bit_at(const base::IpAddress& address, unsigned bit) noexcept {
    return ((address.octets()[bit / 8] >> (7 - bit % 8)) & 1U) != 0;
}

}  // namespace

struct Database::Impl {
    explicit Impl(SealedFile sealed) : file(std::move(sealed)) {}

    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    ~Impl() {
        if (open) {
            MMDB_close(&mmdb);
        }
    }

    [[nodiscard]] std::string open_file();
    [[nodiscard]] std::string check_tree();
    [[nodiscard]] std::string read_records();

    [[nodiscard]] Record empty() const noexcept { return mmdb.metadata.node_count; }

    [[nodiscard]] std::pair<Record, Record> children(Record node) const noexcept {
        MMDB_search_node_s found;
        if (MMDB_read_node(&mmdb, node, &found) != MMDB_SUCCESS) {
            return {0, 0};  // no record may name the root: the check refuses it
        }
        return {static_cast<Record>(found.left_record), static_cast<Record>(found.right_record)};
    }

    SealedFile file;
    MmdbLayout layout;
    MMDB_s mmdb{};
    bool open = false;
    Record root4 = 0;
    Record root6 = 0;  // of an IPv4-only file: a leaf that knows nothing
    std::vector<Facts> facts;
    RecordIndex records;
    std::vector<std::uint32_t> facts_of_record;  // by the number of the record
    Facts nothing;
};

std::string Database::Impl::open_file() {
    const auto found = find_layout(file.octets());
    if (!found) {
        return found.error();
    }
    layout = *found;
    const int status = MMDB_open(file.path().c_str(), MMDB_MODE_MMAP, &mmdb);
    if (status != MMDB_SUCCESS) {
        return std::string("cannot be used: ") + MMDB_strerror(status);
    }
    open = true;
    if (mmdb.metadata.node_count != layout.node_count || mmdb.depth != layout.bits) {
        return "its metadata makes no sense";
    }
    root4 = layout.bits == 32 ? 0 : mmdb.ipv4_start_node.node_value;
    root6 = layout.bits == 32 ? empty() : 0;
    return check_tree();
}

std::string Database::Impl::check_tree() {
    TreeCheck check(mmdb.metadata.node_count, layout.data_end - layout.data_begin);
    const auto read = [this](Record node) { return children(node); };
    // The IPv4 part first, on its own, so that each of its aliases in the IPv6 tree is one leaf.
    std::string error = check.run(root4, 32, read);
    if (error.empty() && layout.bits == 128) {
        check.fold(root4);
        error = check.run(root6, 128, read);
    }
    if (error.empty()) {
        records = check.take_records();
        error = read_records();
    }
    return error;
}

std::string Database::Impl::read_records() {
    const auto data = file.octets().subspan(layout.data_begin, layout.data_end - layout.data_begin);
    RecordReader reader(data, data.size() * kItemsPerOctet + kSpareItems);
    Interner<Facts, HashFacts> distinct;
    std::string error;
    facts_of_record.reserve(records.count());
    const bool all = records.for_each([&](std::uint32_t offset) {
        const auto found = reader.facts_at(offset);
        if (!found) {
            error = "its record at octet " + std::to_string(layout.data_begin + offset) +
                    " cannot be decoded";
            return false;
        }
        facts_of_record.push_back(found->known() ? distinct.index_of(*found) : kNoFacts);
        return true;
    });
    if (!all) {
        return error;
    }
    facts = distinct.take();
    return facts.empty() ? "has no country, continent, coordinates or AS number in any record" : "";
}

Database::Database(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}

Database::Database(Database&&) noexcept = default;
Database& Database::operator=(Database&&) noexcept = default;
Database::~Database() = default;

base::Result<Database, std::string> Database::open(const std::filesystem::path& path) {
    auto file = SealedFile::read(path);
    if (!file) {
        return base::Err{file.error()};
    }
    auto impl = std::make_unique<Impl>(std::move(*file));
    if (std::string error = impl->open_file(); !error.empty()) {
        return base::Err{std::move(error)};
    }
    return Database(std::move(impl));
}

Database::Found Database::lookup(const base::IpAddress& address) const noexcept {
    const base::IpFamily family = address.family();
    Record at = root(family);
    unsigned length = 0;
    // The check at opening made sure that this ends at a leaf before the bits do.
    while (!is_leaf(at)) {
        const auto [zero, one] = children(family, at);
        at = bit_at(address, length++) ? one : zero;
    }
    const std::uint32_t index = facts_of(at);
    return {index == kNoFacts ? &impl_->nothing : &impl_->facts[index], length};
}

Database::Record Database::root(base::IpFamily family) const noexcept {
    return family == base::IpFamily::V4 ? impl_->root4 : impl_->root6;
}

bool Database::is_leaf(Record record) const noexcept { return record >= impl_->empty(); }

std::pair<Database::Record, Database::Record> Database::children(base::IpFamily family,
                                                                 Record record) const noexcept {
    auto found = impl_->children(record);
    if (family == base::IpFamily::V6 && !is_leaf(impl_->root4)) {
        // An alias of the IPv4 part: no IPv6 client of its own stands there.
        found.first = found.first == impl_->root4 ? impl_->empty() : found.first;
        found.second = found.second == impl_->root4 ? impl_->empty() : found.second;
    }
    return found;
}

std::uint32_t Database::facts_of(Record record) const noexcept {
    const std::uint64_t behind = std::uint64_t{record} - impl_->empty();
    if (behind < kMmdbSeparator) {
        return kNoFacts;
    }
    const std::uint32_t number = impl_->records.number_of(behind - kMmdbSeparator);
    return number == RecordIndex::kAbsent ? kNoFacts : impl_->facts_of_record[number];
}

const std::vector<Facts>& Database::facts() const noexcept { return impl_->facts; }

std::string Database::type() const { return impl_->mmdb.metadata.database_type; }

std::uint64_t Database::build_epoch() const noexcept { return impl_->mmdb.metadata.build_epoch; }

std::uint32_t Database::node_count() const noexcept { return impl_->mmdb.metadata.node_count; }

std::span<const std::uint8_t> Database::octets() const noexcept { return impl_->file.octets(); }

}  // namespace steerd::geo
