defmodule Ectoscope.Comments do
  @moduledoc """
  Puts trace id, route and request id into the comment of an application's statements, so that
  ectoscope can tell one request's statements from another's.

  Copy this file into the application; it needs nothing but Elixir.

      defmodule Shop.Repo do
        use Ecto.Repo, otp_app: :shop, adapter: Ecto.Adapters.Postgres
        use Ectoscope.Comments                      # after Ecto.Repo
      end

  It defines `default_options/1`, which reaches every operation, structs' writes too, and
  `prepare_query/3`, which keeps what it returned in order.  A repo that has these already calls
  `options/2` from them instead.

  ## Options

    * `:sample` - the share of the requests that carry comments, from 0.0 to 1.0 (default 1.0).  All
      statements of a request do, or none.
    * `:place` - the name of the OTP application whose line of code, the nearest to the query, goes
      into the comment as `file` and `line`.  For tests: it walks the stack for each statement.

  ## The stale trap

  With prepared statements, `prepare: :named`, PostgreSQL keeps the text of the first request for
  good, its comment too, and writes that into the log for all later ones.  So a comment is only ever
  given together with `prepare: :unnamed`, and an operation that asks for `prepare: :named` gets none.
  """

  @key {__MODULE__, :context}
  @sampled {__MODULE__, :sampled}
  @written {__MODULE__, :written}
  @longest 200

  defmacro __using__(settings) do
    quote do
      @ectoscope_settings Map.new([repo: __MODULE__] ++ unquote(settings))

      def default_options(:transaction), do: []
      def default_options(_operation), do: Ectoscope.Comments.options([], @ectoscope_settings)

      def prepare_query(_operation, query, opts),
        do: {query, Ectoscope.Comments.options(opts, @ectoscope_settings)}
    end
  end

  @doc """
  Remembers who is at work in this process: `:traceparent`, `:controller` and `:action`, or
  `:route`, `:job`, `:live_view`, and `:request_id`.  Replaces what was there.  Processes that it starts
  with `Task` take it over.
  """
  def put(context) do
    Process.delete(@sampled)
    Process.put(@key, context |> Map.new() |> Map.update(:traceparent, nil, &valid/1))
    :ok
  end

  @doc "Forgets it again: for processes that go on to other work."
  def clear do
    Process.delete(@sampled)
    Process.delete(@key)
    :ok
  end

  @doc "As a plug: `plug Ectoscope.Comments` in the controllers, where Phoenix knows the action."
  def init(options), do: options

  @doc false
  def call(conn, _options) do
    private = Map.get(conn, :private, %{})

    put(
      controller: private[:phoenix_controller],
      action: private[:phoenix_action],
      traceparent: header(conn, "traceparent")
    )

    conn
  end

  @doc """
  The options of an operation with the comment added, and `prepare: :unnamed` with it; unchanged where
  nothing is known of the request.  A comment that the caller gave stays.
  """
  def options(opts, settings \\ %{}) do
    cond do
      opts[:prepare] == :named -> Keyword.delete(opts, :comment)
      opts[:comment] && opts[:prepare] == :unnamed -> opts
      is_binary(opts[:comment]) -> Keyword.put(opts, :prepare, :unnamed)
      Keyword.has_key?(opts, :comment) -> opts
      comment = comment(settings) -> Keyword.merge(opts, comment: comment, prepare: :unnamed)
      true -> opts
    end
  end

  @doc "The comment's text without its marks, or nil."
  def comment(settings \\ %{}) do
    context = context()

    if context != %{} and sampled?(context, Map.get(settings, :sample, 1.0)) do
      context |> Map.merge(place(settings)) |> written()
    end
  end

  @doc """
  A repo's configuration with the name that its connections carry in the log (`%a`), for `init/2`
  or `config/runtime.exs`.  PostgreSQL keeps 63 bytes of ASCII.
  """
  def with_application_name(config, name) do
    name = name |> to_string() |> String.replace(~r/[^ -~]/u, "?") |> String.slice(0, 63)
    parameters = Keyword.put_new(Keyword.get(config, :parameters, []), :application_name, name)
    Keyword.put(config, :parameters, parameters)
  end

  # A request's statements have the same comment: it is written once.
  defp written(context) do
    case Process.get(@written) do
      {^context, comment} ->
        comment

      _other ->
        comment =
          context
          |> Enum.map(fn {key, value} -> {to_string(key), text(value)} end)
          |> Enum.sort()
          |> Enum.map_join(",", fn {key, value} -> "#{key}='#{encode(value)}'" end)

        Process.put(@written, {context, comment})
        comment
    end
  end

  # What is known of the request, without what is not: from put/1, OpenTelemetry's span, and the
  # request id that Plug.RequestId gave to Logger.
  defp context do
    own = Process.get(@key) || inherited()
    request_id = own[:request_id] || Logger.metadata()[:request_id]
    traceparent = own[:traceparent] || span()

    own
    |> Map.merge(%{traceparent: traceparent, request_id: request_id})
    |> Map.reject(fn {_key, value} -> value in [nil, ""] end)
  end

  # A task works for the process that started it.
  defp inherited do
    found = Enum.find_value(Process.get(:"$callers", []), &context_of/1) || %{}
    if found != %{}, do: Process.put(@key, found)
    found
  end

  defp context_of(pid) when node(pid) == node() do
    case Process.info(pid, :dictionary) do
      {:dictionary, entries} ->
        with {_key, context} <- List.keyfind(entries, @key, 0), do: context

      nil ->
        nil
    end
  end

  defp context_of(_elsewhere), do: nil

  # OpenTelemetry's current span, where the application has OpenTelemetry.
  defp span do
    if function_exported?(:otel_tracer, :current_span_ctx, 0) do
      span = apply(:otel_tracer, :current_span_ctx, [])
      trace_id = span != :undefined && apply(:otel_span, :trace_id, [span])

      if is_integer(trace_id) and trace_id != 0 do
        "00-#{hex(trace_id, 32)}-#{hex(apply(:otel_span, :span_id, [span]), 16)}-01"
      end
    end
  end

  defp hex(number, digits),
    do: number |> Integer.to_string(16) |> String.downcase() |> String.pad_leading(digits, "0")

  defp valid(<<_::binary-55>> = text) do
    if text =~ ~r/^[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/, do: text
  end

  defp valid(_other), do: nil

  # By the trace's or the request's own id, so that all of its processes decide alike; where there is
  # none, once a process.
  defp sampled?(_context, share) when share >= 1.0, do: true
  defp sampled?(_context, share) when share <= 0.0, do: false

  defp sampled?(context, share) do
    case trace_id(context[:traceparent]) || context[:request_id] do
      nil -> chance(share)
      id -> :erlang.phash2(id, 1_000_000) < share * 1_000_000
    end
  end

  defp chance(share) do
    with nil <- Process.get(@sampled) do
      sampled = :rand.uniform() < share
      Process.put(@sampled, sampled)
      sampled
    end
  end

  defp trace_id(<<_version::binary-3, id::binary-32, _rest::binary>>), do: id
  defp trace_id(_none), do: nil

  # The nearest frame of the application but its repo, else of its tests.
  defp place(%{place: app} = settings) do
    {:current_stacktrace, frames} = Process.info(self(), :current_stacktrace)
    repo = Map.get(settings, :repo)

    frame =
      Enum.find(frames, fn {module, _, _, _} ->
        module not in [repo, __MODULE__] and Application.get_application(module) == app
      end) ||
        Enum.find(frames, fn {_, _, _, at} -> match?('test/' ++ _, Keyword.get(at, :file, '')) end)

    case frame do
      {_, _, _, [_ | _] = at} -> %{file: to_string(at[:file]), line: at[:line]}
      _unknown -> %{}
    end
  end

  defp place(_settings), do: %{}

  defp header(%{req_headers: headers}, name),
    do: Enum.find_value(headers, fn {key, value} -> if key == name, do: value end)

  defp header(_conn, _name), do: nil

  defp text(value) when is_atom(value),
    do: value |> Atom.to_string() |> String.replace_prefix("Elixir.", "")

  defp text(value), do: value |> to_string() |> String.slice(0, @longest)

  # Nothing that could end the comment, or the quotes, is left as it is.
  defp encode(value), do: URI.encode(value, &URI.char_unreserved?/1)
end
