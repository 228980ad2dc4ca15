using Colibri.Core.Cost;
using Colibri.Core.Panes.Dialects;

namespace Colibri.Core.Panes;

/// <summary>
/// Adds up what one agent reports as used. An agent may tell a message's usage at once and totals later, and totals of its whole session beside
/// those of a model. What is booked is at each moment the highest total told so far plus what was told since, less what earlier runs have booked
/// of the same session. So nothing counts twice, and no total falls.
/// </summary>
/// <param name="pricing">For reports of usage without a cost, and for sessions that are taken up again.</param>
/// <param name="news">Where the additions are told.</param>
internal sealed class UsageAccount(UsagePricing pricing, PaneNews news)
{
    /// <summary>The most models told apart; further ones count as the last.</summary>
    internal const int MaxModels = 32;

    /// <summary>The most messages remembered whose usage may be repeated.</summary>
    internal const int MaxMessages = 128;

    private readonly List<ModelAccount> _models = [];
    private readonly List<(ModelAccount Of, UsageReport Total)> _told = [];
    private readonly List<(ulong Id, UsageReport Counted)> _messages = [];
    private int _oldest;
    private UsageReport _highest;
    private UsageReport _base;
    private bool _isBaseRead;
    private long _awaited;

    /// <summary>All that was booked.</summary>
    public UsageReport Total { get; private set; }

    /// <summary>It was told totals of a session.</summary>
    public bool HasTotals { get; private set; }

    /// <summary>Adds a report.</summary>
    /// <param name="report">Its numbers.</param>
    /// <param name="totals">What they are totals of.</param>
    /// <param name="origin">What it is about.</param>
    public void Add(in UsageReport report, UsageTotals totals, in UsageOrigin origin)
    {
        HasTotals |= totals is UsageTotals.Cost or UsageTotals.All or UsageTotals.Model;
        switch (totals)
        {
            case UsageTotals.Message:
                AddMessage(report, origin);
                break;
            case UsageTotals.Base:
                if (!_isBaseRead) Of(origin).Base = WithoutUnpriced(report);
                break;
            case UsageTotals.Model:
                if (_told.Count < MaxModels) _told.Add((Of(origin), report));
                break;
            case UsageTotals.Cost:
                Close(report, origin);
                break;
            default:
                AddPlain(report, totals == UsageTotals.All, origin);
                break;
        }
    }

    /// <summary>No further report comes: costs that are still awaited stay unknown.</summary>
    public void Complete()
    {
        if (_awaited == 0) return;
        Total += new UsageReport(0, 0, 0, 0, 0, _awaited);
        _awaited = 0;
        news.Add(new UsageNews(null, null, default) { Requests = 0, Before = AwaitedCosts.Lost });
    }

    private void AddPlain(UsageReport report, bool isTotal, in UsageOrigin origin)
    {
        var isUnpriced = report.Unpriced > 0;
        var added = report;
        if (isTotal)
        {
            ReadBase(origin, report, hasTokens: true);
            if (pricing.Sessions is not null) Note(origin, [new SessionModelTotal(UsagePricing.NameOf(origin.Model, pricing.Model), report)]);
            added = report.Above(_base).Above(Total);
        }

        if (isUnpriced) added = pricing.Price(origin.Provider, origin.Model, added with { Unpriced = added.Tokens });
        Book(origin.Provider, origin.Model, added, default);
    }

    // The live usage of a message is priced by the operator's table, or waits for the agent's own price.
    private void AddMessage(in UsageReport report, in UsageOrigin origin)
    {
        var grown = Grown(report, origin.Message, out var isNew);
        if (grown.Tokens == 0) return;
        var model = Of(origin);
        var priced = pricing.Price(model.Provider, model.Name, grown with { Unpriced = grown.Tokens });
        model.Live += WithoutUnpriced(priced);
        model.IsLive = true;
        var added = (_highest + Live()).Above(Total);
        model.Booked += added;
        var awaited = priced.Unpriced > 0 ? added.Tokens : 0;
        _awaited += awaited;
        Book(model.Provider, model.Name, added, new UsageNews { Requests = isNew ? 1 : 0, Awaited = awaited });
    }

    // A result closes the list of models. It is the whole truth of what was told before it.
    private void Close(in UsageReport result, in UsageOrigin origin)
    {
        var main = Of(origin);
        var isCosted = result.Unpriced == 0 && (result.Microcents > 0 || !_told.Exists(told => told.Total.Unpriced > 0));
        ReadBase(origin, Session(result, isCosted), hasTokens: _told.Count > 0);
        if (_told.Count == 0) main.Told += WithoutUnpriced(result) with { Microcents = 0 };
        foreach (var (model, total) in _told) model.Told = UsageReport.Highest(model.Told, WithoutUnpriced(total).Above(model.Base));
        NoteModels(result, main, origin);

        UsageReport told = default;
        foreach (var model in _models) told += model.Told;
        // Where the models tell less than the result itself, the result counts.
        if (_told.Count > 0) told = UsageReport.Highest(told, WithoutUnpriced(result) with { Microcents = 0 });
        told = UsageReport.Highest(told, new UsageReport(0, 0, 0, 0, Math.Max(0, result.Microcents - _base.Microcents)));
        _highest = UsageReport.Highest(_highest, told);
        _told.Clear();

        if (_awaited > 0) news.Add(new UsageNews(null, null, default) { Requests = 0, Before = isCosted ? AwaitedCosts.Told : AwaitedCosts.Lost });
        if (!isCosted) Total += new UsageReport(0, 0, 0, 0, 0, _awaited);
        _awaited = 0;
        Share(main, isCosted);
    }

    // Gives each model what it was told to have used and is not booked yet, and the rest to the one at work.
    private void Share(ModelAccount main, bool isCosted)
    {
        var rest = WithoutUnpriced(_highest.Above(Total));
        foreach (var model in _models)
        {
            var added = UsageReport.Lowest(model.Told.Above(model.Booked), rest);
            rest -= added;
            model.Booked += added;
            model.Share = added;
        }

        main.Share += rest;
        main.Booked += rest;
        foreach (var model in _models)
        {
            var added = isCosted ? model.Share : pricing.Price(model.Provider, model.Name, model.Share with { Unpriced = model.Share.Tokens });
            Book(model.Provider, model.Name, added, new UsageNews { Requests = model.IsLive ? 0 : 1 });
            (model.Live, model.Share, model.IsLive) = (default, default, false);
        }
    }

    private void Book(string? provider, string? model, UsageReport added, UsageNews how)
    {
        var before = Total;
        Total += added;
        added = Total - before;
        if (added == default) return;
        news.Add(how == default ? new UsageNews(provider, model, added) : how with { Provider = provider, Model = model, Added = added });
    }

    private UsageReport Live()
    {
        UsageReport live = default;
        foreach (var model in _models) live += model.Live;
        return live;
    }

    // By how much the message's usage has grown since it was last told.
    private UsageReport Grown(in UsageReport report, ulong id, out bool isNew)
    {
        var told = WithoutUnpriced(report);
        var index = _messages.Count - 1;
        while (index >= 0 && _messages[index].Id != id) index--;
        isNew = index < 0;
        var counted = isNew ? default : _messages[index].Counted;
        if (!isNew) _messages[index] = (id, UsageReport.Highest(told, counted));
        else if (_messages.Count < MaxMessages) _messages.Add((id, told));
        else (_messages[_oldest], _oldest) = ((id, told), (_oldest + 1) % MaxMessages);
        return told.Above(counted);
    }

    private ModelAccount Of(in UsageOrigin origin)
    {
        foreach (var known in _models)
            if (known.Name == origin.Model) return known;

        if (_models.Count == MaxModels) return _models[^1];
        var model = new ModelAccount(origin.Provider, origin.Model);
        _models.Add(model);
        return model;
    }

    private UsageReport Session(in UsageReport result, bool isCosted)
    {
        UsageReport session = default;
        foreach (var (_, total) in _told) session += total;
        return session with { Microcents = isCosted ? Math.Max(session.Microcents, result.Microcents) : UsageReport.MaxSum };
    }

    // What was booked of a session that this agent takes up. What the agent itself says of that is exact, and wins where it is more. A session
    // that reports less than was booked of it began anew.
    private void ReadBase(in UsageOrigin origin, in UsageReport reported, bool hasTokens)
    {
        if (_isBaseRead) return;
        _isBaseRead = true;
        UsageReport known = default;
        if (pricing is { Resumes: true, Sessions: { } sessions } && Key(origin) is { } key)
        {
            foreach (var (_, total) in sessions.Of(key)) known += total;
            if (known.Microcents <= reported.Microcents && (!hasTokens || known.Tokens <= reported.Tokens))
            {
                foreach (var (name, total) in sessions.Of(key))
                {
                    var model = Of(origin with { Model = name });
                    model.Base = UsageReport.Highest(model.Base, WithoutUnpriced(total));
                }
            }
        }

        foreach (var model in _models) _base += model.Base;
    }

    private void NoteModels(in UsageReport result, ModelAccount main, in UsageOrigin origin)
    {
        if (pricing.Sessions is null) return;
        var totals = new List<SessionModelTotal>(_models.Count);
        UsageReport sum = default;
        foreach (var model in _models)
        {
            var total = model.Base + model.Told;
            sum += total;
            if (total != default && model != main) totals.Add(new SessionModelTotal(UsagePricing.NameOf(model.Name, pricing.Model), total));
        }

        var rest = new UsageReport(0, 0, 0, 0, Math.Max(0, result.Microcents - sum.Microcents));
        totals.Add(new SessionModelTotal(UsagePricing.NameOf(main.Name, pricing.Model), main.Base + main.Told + rest));
        Note(origin, totals);
    }

    private void Note(in UsageOrigin origin, IReadOnlyList<SessionModelTotal> totals)
    {
        if (Key(origin) is { } key) news.Session = new SessionUsage(key, totals);
    }

    private string? Key(in UsageOrigin origin) => origin.Session is { Length: > 0 } session ? $"{pricing.Runtime}:{session}" : null;

    private static UsageReport WithoutUnpriced(in UsageReport report) => report with { Unpriced = 0 };

    /// <summary>One model's part.</summary>
    private sealed class ModelAccount(string? provider, string? name)
    {
        public string? Provider => provider;

        public string? Name => name;

        /// <summary>What the session had used of it before this process.</summary>
        public UsageReport Base { get; set; }

        /// <summary>What the results of this process say.</summary>
        public UsageReport Told { get; set; }

        /// <summary>What messages say since the latest result.</summary>
        public UsageReport Live { get; set; }

        public UsageReport Booked { get; set; }

        public UsageReport Share { get; set; }

        public bool IsLive { get; set; }
    }
}

/// <summary>What a report of usage is about.</summary>
/// <param name="Provider">Whose model it was; null when the agent never said.</param>
/// <param name="Model">The model; null when the agent never said.</param>
/// <param name="Message">The message, by the hash of its id; 0 for none.</param>
/// <param name="Session">The agent's own session; null before it said so.</param>
internal readonly record struct UsageOrigin(string? Provider, string? Model, ulong Message, string? Session);
