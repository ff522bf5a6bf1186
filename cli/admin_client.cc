#include "cli/admin_client.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <utility>

#include "base/ip.h"
#include "config/load.h"

namespace steerd::cli {

namespace {

constexpr std::string_view kUnix = "unix:";
constexpr std::string_view kHttp = "http://";
constexpr long kConnectWithin_s = 5;
constexpr long kAnswerWithin_s = 60;  // a reload of a large zone takes a while
constexpr std::size_t kMaxAnswer = std::size_t{512} << 20U;
constexpr std::size_t kMaxLine = std::size_t{1} << 20U;

std::string read_token(const std::filesystem::path& file) {
    std::ifstream in(file);
    std::string token;
    in >> token;
    return token;
}

/// The model even of a file with mistakes; nullptr where it is no TOML at all.
std::shared_ptr<const config::Model> readable(const std::filesystem::path& file) {
    auto loaded = config::load(file);
    if (loaded.readable == nullptr) {
        throw Failure(
            fmt::format("cannot learn from {} where the server is:\n{}\nsay --admin "
                        "ADDRESS",
                        file.string(), loaded.problems.text()));
    }
    return loaded.readable;
}

}  // namespace

struct AdminClient::Transfer {
    std::string method = "GET";
    std::string path;
    std::string body;
    const std::function<void(std::string_view)>* line = nullptr;
    int status = 0;
    std::string got;

    static std::size_t take(char* data, std::size_t, std::size_t size, void* own) {
        auto& self = *static_cast<Transfer*>(own);
        self.got.append(data, size);
        if (self.line == nullptr) {
            return self.got.size() > kMaxAnswer ? 0 : size;
        }
        std::size_t from = 0;
        for (std::size_t end = 0; (end = self.got.find('\n', from)) != std::string::npos;
             from = end + 1) {
            (*self.line)(std::string_view(self.got).substr(from, end - from));
        }
        self.got.erase(0, from);
        return self.got.size() > kMaxLine ? 0 : size;
    }
};

AdminClient::AdminClient(const Args& args) {
    std::optional<std::filesystem::path> token_file;
    if (const auto given = args.value("--token-file")) {
        token_file = *given;
    }
    address_ = args.value("--admin").value_or("");
    if (address_.empty()) {
        const auto file = config_path(args);
        const auto model = readable(file);
        if (!model->admin.unix_sockets.empty()) {
            address_ = std::string(kUnix) + model->admin.unix_sockets.front().string();
        } else if (!model->admin.tcp.empty()) {
            address_ = model->admin.tcp.front().text();
            token_file = token_file ? token_file : model->admin.token_file;
        } else {
            throw NoServer(fmt::format(
                "{} has no [admin] listen, so a server with it cannot be asked; add\n"
                "  [admin]\n  listen = [\"unix:state/admin.sock\"]\nand restart it, or say --admin "
                "ADDRESS",
                file.string()));
        }
    }
    if (address_.starts_with(kUnix) || address_.find('/') == 0 || address_.starts_with("./")) {
        unix_socket_ = address_.starts_with(kUnix) ? address_.substr(kUnix.size()) : address_;
        base_ = "http://localhost";
    } else {
        const std::string bare =
            address_.starts_with(kHttp) ? address_.substr(kHttp.size()) : address_;
        if (!base::SocketAddress::parse(bare) && bare.find(':') == std::string::npos) {
            throw UsageError(fmt::format(
                "bad --admin \"{}\": wants unix:PATH or an address like 127.0.0.1:5380", address_));
        }
        base_ = std::string(kHttp) + bare;
    }
    if (token_file) {
        token_ = read_token(*token_file);
        if (token_.empty() && args.has("--token-file")) {
            throw Failure(fmt::format("{} cannot be read or holds no token", token_file->string()));
        }
    }
}

std::string AdminClient::escaped(const std::string& text) {
    const std::unique_ptr<char, void (*)(void*)> out(
        curl_easy_escape(nullptr, text.data(), static_cast<int>(text.size())), curl_free);
    return out == nullptr ? std::string() : std::string(out.get());
}

std::string AdminClient::trouble(int code, long os_error) const {
    const auto hint = [&](std::string_view what, std::string_view next) {
        return fmt::format("no server answers at {}: {}; {}", address_, what, next);
    };
    if (code == CURLE_OPERATION_TIMEDOUT) {
        return fmt::format("{} does not answer in time; look at its log and its load", address_);
    }
    if (code != CURLE_COULDNT_CONNECT) {
        // NOLINTNEXTLINE(google-runtime-int)
        return fmt::format("asking {} failed: {}", address_,
                           curl_easy_strerror(static_cast<CURLcode>(code)));
    }
    switch (os_error) {
        case ENOENT:
            return hint("there is no such socket",
                        "is `steerd serve` running with this configuration?");
        case EACCES:
        case EPERM:
            return hint("permission denied",
                        "ask as the user or group that owns it, or as root (sudo)");
        case ECONNREFUSED:
            return hint("nobody listens there",
                        "is `steerd serve` running with this configuration?");
        case ENOTSOCK:
            return hint("this is no socket", "look at [admin] listen or --admin");
        default:
            return hint(
                os_error == 0 ? "it cannot be reached" : std::strerror(static_cast<int>(os_error)),
                "is `steerd serve` running there?");
    }
}

int AdminClient::perform(Transfer& transfer) const {
    const std::unique_ptr<CURL, void (*)(CURL*)> curl(curl_easy_init(), curl_easy_cleanup);
    if (curl == nullptr) {
        throw Failure("libcurl does not start");
    }
    CURL* c = curl.get();
    const std::string url = base_ + transfer.path;
    curl_slist* list = nullptr;
    if (!token_.empty()) {
        list = curl_slist_append(list, ("Authorization: Bearer " + token_).c_str());
    }
    list = curl_slist_append(list, "Expect:");
    const std::unique_ptr<curl_slist, void (*)(curl_slist*)> headers(list, curl_slist_free_all);
    curl_easy_setopt(c, CURLOPT_URL, url.c_str());
    curl_easy_setopt(c, CURLOPT_PROXY, "");  // the server is ours; no proxy knows it
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, kConnectWithin_s);
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, transfer.method.c_str());
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, &Transfer::take);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, &transfer);
    if (!unix_socket_.empty()) {
        curl_easy_setopt(c, CURLOPT_UNIX_SOCKET_PATH, unix_socket_.c_str());
    }
    if (transfer.line == nullptr) {
        curl_easy_setopt(c, CURLOPT_TIMEOUT, kAnswerWithin_s);
    }
    if (!transfer.body.empty()) {
        curl_easy_setopt(c, CURLOPT_POSTFIELDS, transfer.body.c_str());
    }
    const CURLcode code = curl_easy_perform(c);
    long status = 0;
    long os_error = 0;
    curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(c, CURLINFO_OS_ERRNO, &os_error);
    transfer.status = static_cast<int>(status);
    // A stream ends when the server does.
    const bool ended = transfer.line != nullptr && transfer.status == 200;
    if (code == CURLE_COULDNT_CONNECT) {
        throw NoServer(trouble(code, os_error));
    }
    if (code != CURLE_OK && !ended) {
        throw Failure(trouble(code, os_error));
    }
    return transfer.status;
}

AdminAnswer AdminClient::ask(const std::string& method, const std::string& path,
                             const std::string& body) const {
    Transfer transfer;
    transfer.method = method;
    transfer.path = path;
    transfer.body = body;
    AdminAnswer answer;
    answer.status = perform(transfer);
    answer.json = Json::parse(transfer.got, nullptr, false);
    if (answer.json.is_discarded() || !answer.json.is_object()) {
        throw Failure(
            fmt::format("{} answers, but not as steerd does (status {}); look at [admin] "
                        "listen or --admin",
                        address_, answer.status));
    }
    return answer;
}

Json AdminClient::get(const std::string& path) const {
    auto answer = ask("GET", path);
    if (answer.status != 200) {
        throw Failure(error_of(answer));
    }
    return std::move(answer.json);
}

void AdminClient::follow(const std::string& path,
                         const std::function<void(std::string_view)>& line) const {
    Transfer transfer;
    transfer.path = path;
    transfer.line = &line;
    const int status = perform(transfer);
    if (status != 200) {
        throw Failure(fmt::format("{} refuses: status {}", address_, status));
    }
}

std::string error_of(const AdminAnswer& answer) {
    const auto text = answer.json.find("error");
    std::string out = text != answer.json.end() && text->is_string()
                          ? text->get<std::string>()
                          : fmt::format("refused with status {}", answer.status);
    if (const auto near = answer.json.find("near");
        near != answer.json.end() && near->is_array() && !near->empty()) {
        out += "; did you mean ";
        for (std::size_t i = 0; i < near->size(); ++i) {
            out += (i > 0 ? ", " : "") + near->at(i).get<std::string>();
        }
        out += "?";
    }
    if (answer.status == 507) {
        out += "; --force does it in memory only";
    }
    if (answer.status == 401) {
        out += "; say --token-file FILE, or use the Unix socket";
    }
    return out;
}

}  // namespace steerd::cli
