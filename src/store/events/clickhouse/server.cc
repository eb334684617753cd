#include "store/events/clickhouse/server.h"

#include <atomic>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <charconv>
#include <chrono>
#include <optional>

#include "base/hash.h"
#include "base/url.h"

namespace redoubt::store::clickhouse {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using beast::error_code;

constexpr unsigned kHttp11 = 11;
constexpr auto kTick = std::chrono::milliseconds(20);
constexpr auto kKillTime = std::chrono::milliseconds(2000);
constexpr size_t kPieceBytes = size_t{256} << 10;
constexpr uint64_t kAnswerBytesMax = uint64_t{1} << 30;  // of one that is returned
constexpr size_t kErrorBytesMax = 2000;
constexpr std::string_view kCode = "Code: ";

constexpr int kTimeoutExceeded = 159;
constexpr int kMemoryLimitExceeded = 241;
constexpr int kQueryWasCancelled = 394;

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain =
        (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-' || c == '.';
    if (plain) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15U];
  }
  return out;
}

int code_in(std::string_view text) {
  const size_t at = text.find(kCode);
  int code = 0;
  if (at == std::string_view::npos) return 0;
  std::from_chars(text.data() + at + kCode.size(), text.data() + text.size(), code);
  return code;
}

tl::unexpected<Error> refused(std::string text) {
  text.resize(std::min(text.size(), kErrorBytesMax));
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  const int code = code_in(text);
  const Errc errc = code == kMemoryLimitExceeded                             ? Errc::exhausted
                    : code == kTimeoutExceeded || code == kQueryWasCancelled ? Errc::timeout
                                                                             : Errc::internal;
  return fail(errc, std::move(text));
}

// One statement on its way.
class Exchange {
 public:
  using Clock = std::chrono::steady_clock;

  Exchange(const base::Url& url, const Call& call)
      : url_(url), call_(call), deadline_(Clock::now() + std::chrono::milliseconds(call.time_ms_max)) {}

  template <class Stream>
  Result<std::string> run(asio::io_context& io, Stream& stream, http::request<http::span_body<const char>>& request) {
    const error_code unsent =
        finish(io, stream, [&](auto done) { http::async_write(stream, request, std::move(done)); });
    if (!why_.empty()) return fail(Errc::timeout, why_);
    beast::flat_buffer buffer;
    http::response_parser<http::buffer_body> parser;
    parser.body_limit(boost::none);
    const error_code unread =
        finish(io, stream, [&](auto done) { http::async_read_header(stream, buffer, parser, std::move(done)); });
    if (!why_.empty()) return fail(Errc::timeout, why_);
    if (unread) return fail(Errc::unavailable, (unsent ? unsent : unread).message());
    return read_body(io, stream, buffer, parser);
  }

  template <class Stream>
  Status connect(asio::io_context& io, Stream& stream) {
    error_code error;
    asio::ip::tcp::resolver resolver(io);
    const auto endpoints = resolver.resolve(url_.host, url_.port, error);
    if (error) return fail(Errc::unavailable, error.message());
    auto& lowest = beast::get_lowest_layer(stream);
    error = finish(io, stream, [&](auto done) { lowest.async_connect(endpoints, std::move(done)); });
    if (!why_.empty()) return fail(Errc::timeout, why_);
    if (error) return fail(Errc::unavailable, error.message());
    return {};
  }

  // Runs one operation to its end, or to that of the time, when the connection is closed.
  template <class Stream, class Start>
  error_code finish(asio::io_context& io, Stream& stream, Start start) {
    error_code result = asio::error::would_block;
    start([&result](error_code error, auto&&...) { result = error; });
    io.restart();
    while (!io.stopped()) {
      io.run_for(kTick);
      if (io.stopped() || !is_over()) continue;
      beast::get_lowest_layer(stream).close();
      io.run();
    }
    return result;
  }

 private:
  bool is_over() {
    if (why_.empty() && call_.cancelled && call_.cancelled()) why_ = "cancelled";
    if (why_.empty() && Clock::now() >= deadline_) {
      why_ = "time limit of " + std::to_string(call_.time_ms_max) + " ms";
    }
    return !why_.empty();
  }

  template <class Stream>
  Result<std::string> read_body(asio::io_context& io, Stream& stream, beast::flat_buffer& buffer,
                                http::response_parser<http::buffer_body>& parser) {
    const bool is_good = parser.get().result() == http::status::ok;
    std::string answer;
    std::string piece(kPieceBytes, '\0');
    while (!parser.is_done()) {
      parser.get().body().data = piece.data();
      parser.get().body().size = piece.size();
      error_code error =
          finish(io, stream, [&](auto done) { http::async_read(stream, buffer, parser, std::move(done)); });
      if (!why_.empty()) return fail(Errc::timeout, why_);
      if (error == http::error::need_buffer) error = {};
      if (error) return fail(Errc::unavailable, error.message());
      const std::string_view got(piece.data(), piece.size() - parser.get().body().size);
      if (is_good && call_.sink) {
        TRY_STATUS(call_.sink(got));
      } else {
        answer += got;
      }
      if (answer.size() > kAnswerBytesMax) return fail(Errc::exhausted, "answer is too large");
    }
    if (!is_good) return refused(std::move(answer));
    return answer;
  }

  const base::Url& url_;
  const Call& call_;
  const Clock::time_point deadline_;
  std::string why_;
};

class HttpServer final : public Server {
 public:
  HttpServer(base::Url url, Account account) : url_(std::move(url)), account_(std::move(account)) {
    database_ = url_.target.size() > 1 ? url_.target.substr(1) : "redoubt";
    name_ = url_.authority + "/" + database_;
  }

  Status open_tls() {
    if (url_.scheme == base::Url::Scheme::http) return {};
    tls_.emplace(asio::ssl::context::tls_client);
    SSL_CTX_set_min_proto_version(tls_->native_handle(), TLS1_2_VERSION);
    tls_->set_verify_mode(asio::ssl::verify_peer);
    error_code error;
    if (account_.ca_file.empty()) {
      tls_->set_default_verify_paths(error);
    } else {
      tls_->load_verify_file(account_.ca_file, error);
    }
    if (error) return fail(Errc::io, "certificates " + account_.ca_file + ": " + error.message());
    return {};
  }

  const std::string& name() const override { return name_; }
  const std::string& database() const override { return database_; }

  Result<std::string> call(const Call& call) override {
    const std::string id = base::to_hex(base::random_bytes(16));
    auto answer = send(call, id);
    // The server would work on for nobody.
    if (!answer && answer.error().code == Errc::timeout && call.data.empty()) end_query(id);
    if (!answer) return tl::unexpected(std::move(answer).error().within("ClickHouse " + name_));
    return answer;
  }

 private:
  Result<std::string> send(const Call& call, const std::string& id) {
    try {
      return try_send(call, id);
    } catch (const std::exception& error) {
      return fail(Errc::internal, error.what());
    }
  }

  Result<std::string> try_send(const Call& call, const std::string& id) {
    std::string target = "/?query_id=" + id;
    if (call.scope == Scope::database) target += "&database=" + database_;
    for (const auto& [setting, value] : call.settings) target += "&" + setting + "=" + percent_encoded(value);
    std::string_view body = call.sql;
    if (!call.data.empty()) {
      target += "&query=" + percent_encoded(call.sql);
      body = call.data;
    }
    http::request<http::span_body<const char>> request(http::verb::post, target, kHttp11);
    request.set(http::field::host, url_.authority);
    request.set(http::field::user_agent, "redoubtd/" REDOUBT_VERSION);
    request.set("X-ClickHouse-User", account_.user);
    if (!account_.password.empty()) request.set("X-ClickHouse-Key", account_.password);
    request.keep_alive(false);
    request.body() = {body.data(), body.size()};
    request.prepare_payload();
    Exchange exchange(url_, call);
    asio::io_context io;
    if (!tls_) {
      beast::tcp_stream stream(io);
      TRY_STATUS(exchange.connect(io, stream));
      return exchange.run(io, stream, request);
    }
    beast::ssl_stream<beast::tcp_stream> stream(io, *tls_);
    stream.set_verify_callback(asio::ssl::host_name_verification(url_.host));
    SSL_set_tlsext_host_name(stream.native_handle(), url_.host.c_str());
    TRY_STATUS(exchange.connect(io, stream));
    const error_code error = exchange.finish(
        io, stream, [&](auto done) { stream.async_handshake(asio::ssl::stream_base::client, std::move(done)); });
    if (error) return fail(Errc::unavailable, "TLS: " + error.message());
    return exchange.run(io, stream, request);
  }

  void end_query(const std::string& id) {
    (void)send({.sql = "KILL QUERY WHERE query_id = '" + id + "' ASYNC",
                .data = {},
                .settings = {},
                .time_ms_max = kKillTime.count(),
                .cancelled = {},
                .sink = {},
                .scope = Scope::server},
               base::to_hex(base::random_bytes(16)));
  }

  const base::Url url_;
  const Account account_;
  std::string database_;
  std::string name_;
  std::optional<asio::ssl::context> tls_;
};

bool is_plain_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

}  // namespace

Result<std::unique_ptr<Server>> Server::make(const std::string& url, const Account& account) {
  TRY(base::Url parsed, base::parse_url(url));
  auto server = std::make_unique<HttpServer>(std::move(parsed), account);
  if (!is_plain_name(server->database())) {
    return fail(Errc::invalid_argument, "'" + url + "': the database's name may have letters, digits and _ alone");
  }
  TRY_STATUS(server->open_tls());
  return server;
}

Result<Table> Server::select(Call call) {
  // With the whole answer there, an error is one and not part of it.
  call.settings.emplace_back("wait_end_of_query", "1");
  call.settings.emplace_back("default_format", "Native");
  TRY(const std::string answer, this->call(call));
  auto table = read_native(answer);
  if (!table) return tl::unexpected(std::move(table).error().within("ClickHouse " + name()));
  return table;
}

int code_of(const Error& error) { return code_in(error.message); }

}  // namespace redoubt::store::clickhouse
