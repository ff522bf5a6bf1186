// See dnstap_sink.h. Thread rule: as dnstap_sink.h.
#include "server/dnstap_sink.h"

#include <fmt/format.h>
#include <fstrm.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <future>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include "server/query_tap.h"

namespace steerd::server {

namespace {

constexpr std::string_view kContent = "protobuf:dnstap.Dnstap";
constexpr unsigned kQueue = 16384;       // frames; a power of two
constexpr unsigned kReconnectAfter = 1;  // seconds
constexpr std::chrono::seconds kPatience{1};

}  // namespace

struct DnstapSink::Stream {
    fstrm_iothr* thread = nullptr;
    fstrm_iothr_queue* queue = nullptr;

    explicit Stream(const config::DnstapConfig& to) {
        const std::string path = to.path.string();
        auto* options = fstrm_writer_options_init();
        fstrm_writer_options_add_content_type(options, kContent.data(), kContent.size());
        fstrm_writer* writer = nullptr;
        if (to.socket) {
            auto* where = fstrm_unix_writer_options_init();
            fstrm_unix_writer_options_set_socket_path(where, path.c_str());
            writer = fstrm_unix_writer_init(where, options);
            fstrm_unix_writer_options_destroy(&where);
        } else {
            // Opening empties the file: what an earlier run wrote is kept beside it.
            std::error_code none;
            std::filesystem::rename(path, path + ".old", none);
            auto* where = fstrm_file_options_init();
            fstrm_file_options_set_file_path(where, path.c_str());
            writer = fstrm_file_writer_init(where, options);
            fstrm_file_options_destroy(&where);
            // Here, since a path that cannot be written is a mistake that should be told at once.
            if (writer != nullptr && fstrm_writer_open(writer) != fstrm_res_success) {
                fstrm_writer_destroy(&writer);
            }
        }
        fstrm_writer_options_destroy(&options);
        if (writer == nullptr) {
            throw std::runtime_error(fmt::format("dnstap: cannot write to {}", path));
        }
        auto* how = fstrm_iothr_options_init();
        fstrm_iothr_options_set_num_input_queues(how, 1);
        fstrm_iothr_options_set_input_queue_size(how, kQueue);
        fstrm_iothr_options_set_reopen_interval(how, kReconnectAfter);
        thread = fstrm_iothr_init(how, &writer);
        fstrm_iothr_options_destroy(&how);
        if (thread == nullptr) {
            fstrm_writer_destroy(&writer);
            throw std::runtime_error("dnstap: libfstrm has no thread");
        }
        queue = fstrm_iothr_get_input_queue(thread);
    }

    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    ~Stream() { fstrm_iothr_destroy(&thread); }

    bool submit(const std::vector<std::uint8_t>& message) {
        void* const octets = std::malloc(message.size());  // libfstrm frees it
        if (octets == nullptr) {
            return false;
        }
        std::memcpy(octets, message.data(), message.size());
        if (fstrm_iothr_submit(thread, queue, octets, message.size(), fstrm_free_wrapper,
                               nullptr) != fstrm_res_success) {
            std::free(octets);
            return false;
        }
        return true;
    }
};

DnstapSink::DnstapSink(const config::DnstapConfig& to, std::string identity)
    : identity_(std::move(identity)), stream_(std::make_unique<Stream>(to)) {}

/// libfstrm waits for its reader as long as that takes. A server that ends does not: then the
/// process takes the rest with it.
DnstapSink::~DnstapSink() {
    std::packaged_task<void()> end(
        [stream = std::shared_ptr<Stream>(std::move(stream_))]() mutable { stream.reset(); });
    const auto ended = end.get_future();
    std::thread(std::move(end)).detach();
    (void)ended.wait_for(kPatience);
}

unsigned DnstapSink::put(const TapRecord& record) {
    unsigned taken = 0;
    for (const bool response : {false, true}) {
        if (stream_->submit(dnstap_message(record, response, identity_))) {
            ++taken;
        } else {
            dropped_.add();
        }
    }
    return taken;
}

}  // namespace steerd::server
