"""Table of scikit-learn: removed names and modules."""

from __future__ import annotations

from cntk._old_programs.rows import Module, Name, Row

NAMES = (  # owner, old name, what stands in for it, the line to write, gone since
    ("sklearn.preprocessing", "Imputer", ".sklearn.functions:Imputer", "sklearn.impute.SimpleImputer(...)", "0.22"),
    ("sklearn.datasets", "fetch_mldata", None, "fetch_openml('mnist_784', version=1, as_frame=False): mldata.org is dead", "0.22"),
    ("sklearn.metrics", "jaccard_similarity_score", ".sklearn.functions:jaccard_similarity_score",
     "accuracy_score(...), or jaccard_score(...)", "0.23"),
    ("sklearn.metrics", "calinski_harabaz_score", "sklearn.metrics:calinski_harabasz_score", "calinski_harabasz_score(...)",
     "0.23"),
    ("sklearn.metrics", "scorer", "sklearn.metrics", "from sklearn.metrics import ...", "0.24"),
    ("sklearn.metrics", "plot_confusion_matrix", ".sklearn.functions:plot_confusion_matrix",
     "ConfusionMatrixDisplay.from_estimator(...)", "1.2"),
    ("sklearn.metrics", "plot_roc_curve", ".sklearn.functions:plot_roc_curve", "RocCurveDisplay.from_estimator(...)", "1.2"),
    ("sklearn.mixture", "GMM", None, "sklearn.mixture.GaussianMixture(...)", "0.20"),
    ("sklearn.mixture", "DPGMM", None, "sklearn.mixture.BayesianGaussianMixture(...)", "0.20"),
    ("sklearn.mixture", "VBGMM", None, "sklearn.mixture.BayesianGaussianMixture(...)", "0.20"),
    ("sklearn.decomposition", "RandomizedPCA", ".sklearn.functions:randomized_pca",
     "PCA(..., svd_solver='randomized')", "0.20"),
    ("sklearn.linear_model", "RandomizedLasso", None, "sklearn.feature_selection", "0.21"),
    ("sklearn.utils", "safe_indexing", "sklearn.utils:_safe_indexing", "x[indices]", "0.24"),
    ("sklearn.utils", "check_arrays", "sklearn.utils:check_X_y", "check_array(...), check_X_y(...)", "0.16"),
    ("sklearn.feature_extraction.text:CountVectorizer", "get_feature_names", ".sklearn.functions:get_feature_names",
     "x.get_feature_names_out()", "1.2"),
    ("sklearn.feature_extraction:DictVectorizer", "get_feature_names", ".sklearn.functions:get_feature_names",
     "x.get_feature_names_out()", "1.2"),
    ("sklearn.preprocessing:PolynomialFeatures", "get_feature_names", ".sklearn.functions:get_feature_names",
     "x.get_feature_names_out()", "1.2"),
)  # fmt: skip

MOVED = (  # modules whose names lie in the package around them, or in another one
    ("cluster.hierarchical", "cluster"),
    ("cluster.k_means_", "cluster"),
    ("datasets.base", "datasets"),
    ("datasets.samples_generator", "datasets"),
    ("decomposition.pca", "decomposition"),
    ("ensemble.forest", "ensemble"),
    ("ensemble.gradient_boosting", "ensemble"),
    ("ensemble.weight_boosting", "ensemble"),
    ("feature_selection.base", "feature_selection"),
    ("feature_selection.univariate_selection", "feature_selection"),
    ("learning_curve", "model_selection"),
    ("linear_model.base", "linear_model"),
    ("linear_model.logistic", "linear_model"),
    ("linear_model.stochastic_gradient", "linear_model"),
    ("manifold.t_sne", "manifold"),
    ("metrics.classification", "metrics"),
    ("metrics.ranking", "metrics"),
    ("metrics.regression", "metrics"),
    ("metrics.scorer", "metrics"),
    ("neighbors.classification", "neighbors"),
    ("neighbors.unsupervised", "neighbors"),
    ("neural_network.multilayer_perceptron", "neural_network"),
    ("preprocessing.data", "preprocessing"),
    ("preprocessing.label", "preprocessing"),
    ("svm.classes", "svm"),
    ("tree.tree", "tree"),
)
MODULES = (  # old name, what stands in for it, the line to write, gone since
    ("cross_validation", ".sklearn.cross_validation", "from sklearn.model_selection import ...", "0.20"),
    ("grid_search", "sklearn.model_selection", "from sklearn.model_selection import ...", "0.20"),
    ("externals.joblib", "joblib", "import joblib", "0.23"),
    ("externals.six", "six", "the names of Python 3 themselves", "0.23"),
    ("externals.six.moves", "six.moves", "the names of Python 3 themselves", "0.23"),
    ("preprocessing.imputation", ".sklearn.functions", "from sklearn.impute import SimpleImputer", "0.22"),
    ("lda", ".sklearn.functions", "from sklearn.discriminant_analysis import LinearDiscriminantAnalysis", "0.19"),
    ("qda", ".sklearn.functions", "from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis", "0.19"),
    ("utils.testing", ".sklearn.testing", "from numpy.testing import ..., pytest", "0.24"),
    ("utils.linear_assignment_", ".sklearn.functions", "scipy.optimize.linear_sum_assignment(...)", "0.23"),
    ("feature_extraction.stop_words", "sklearn.feature_extraction.text",
     "from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS", "0.24"),
    ("hmm", None, "hmmlearn, from: pip install hmmlearn", "0.17"),
)  # fmt: skip

SKLEARN: list[Row] = [
    *(Name(owner, name, value, write, f"scikit-learn {gone}") for owner, name, value, write, gone in NAMES),
    *(
        Module(f"sklearn.{old}", f"sklearn.{new}", f"from sklearn.{new} import ...",
               "scikit-learn 0.20" if old == "learning_curve" else "scikit-learn 0.24")
        for old, new in MOVED
    ),
    *(Module(f"sklearn.{name}", value, write, f"scikit-learn {gone}") for name, value, write, gone in MODULES),
]  # fmt: skip
